//! What comes from Python is a job or refused.
#![no_main]

use bitzel_fetch::{Client, Job, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    drop(serde_json::from_slice::<Vec<Job>>(input.0));
    if let Ok(mut options) = serde_json::from_slice::<Options>(input.1) {
        // No files of this machine are read.
        (options.ca_file, options.netrc) = (None, None);
        drop(Client::new(&options));
    }
});
