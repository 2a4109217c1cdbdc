//! `sigtool dump FILE`, `sigtool diff FILE FILE`, `sigtool check FILE...`: siginfo files
//! in words. `check` recomputes the hashes of each file and writes it anew in memory.

use bitzel_taskgraph::{Color, compare, dump, read_siginfo, siginfo_from_bytes, siginfo_to_bytes};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["dump", file] => println!("{}", dump(&read_siginfo(Path::new(file))?).join("\n")),
        ["diff", a, b] => {
            let (a, b) = (read_siginfo(Path::new(a))?, read_siginfo(Path::new(b))?);
            compare(&a, &b, Color::Never, None).iter().for_each(|line| println!("{line}"));
        }
        ["write", from, to] => {
            bitzel_taskgraph::write_siginfo(Path::new(to), &read_siginfo(Path::new(from))?)?
        }
        ["check", files @ ..] => check(files)?,
        _ => return Err("usage: sigtool dump FILE | diff FILE FILE | write FROM TO | check FILE...".into()),
    }
    Ok(())
}

fn check(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut wrong = 0;
    for file in files {
        let bytes = std::fs::read(file)?;
        let info = siginfo_from_bytes(&bytes, file)?;
        let base = info.basehash.as_deref() == Some(&info.computed_basehash());
        let recorded = info.runtime.as_ref().and_then(|r| r.taskhash.clone());
        let task = info.computed_taskhash().map(|hash| hash.to_string()) == recorded;
        let again = zstd::decode_all(&*siginfo_to_bytes(&info))? == zstd::decode_all(&*bytes)?;
        if !(base && task && again) {
            wrong += 1;
            println!("{file}: base hash {base}, task hash {task}, same bytes {again}");
        }
    }
    println!("{} of {} files as recorded", files.len() - wrong, files.len());
    std::process::exit(i32::from(wrong > 0));
}
