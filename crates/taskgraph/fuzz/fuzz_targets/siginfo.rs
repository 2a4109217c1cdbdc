//! Any bytes, and any text in a zstd frame, are a signature or an error; what is
//! read is written and read again the same, and can be shown.
#![no_main]

use bitzel_taskgraph::{Color, compare, dump, siginfo_from_bytes, siginfo_to_bytes};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = siginfo_from_bytes(data, "raw");
    let framed = zstd::encode_all(data, 1).expect("memory");
    if let Ok(info) = siginfo_from_bytes(&framed, "framed") {
        let again = siginfo_from_bytes(&siginfo_to_bytes(&info), "again").expect("written by us");
        assert_eq!(info, again);
        assert!(!dump(&info).is_empty());
        assert!(compare(&info, &again, Color::Never, None).is_empty());
    }
});
