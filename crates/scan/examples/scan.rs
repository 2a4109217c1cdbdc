//! Scans texts: reads JSON lines `{"k":"sh"|"py","t":TEXT}` and writes what is found in each, for
//! comparison with the real program. The level is the only argument: `2.8` or `2.18`.

use bitzel_base::CompatLevel;
use bitzel_scan::scan_shell;
use serde_json::{Value, json};
use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let level = match std::env::args().nth(1).as_deref() {
        Some("2.8") => CompatLevel::V2_8,
        _ => CompatLevel::V2_18,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let text = request["t"].as_str().unwrap_or_default();
        let answer = match scan_shell(text, level) {
            Ok(refs) => json!({ "execs": refs.execs, "funcs": refs.functions }),
            Err(error) => json!({ "err": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
