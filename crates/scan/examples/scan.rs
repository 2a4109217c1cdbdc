//! Scans texts: reads JSON lines `{"k":"sh"|"py","t":TEXT}`, or `{"k":"mod","t":TEXT,"n":NAMESPACE}` for a
//! library module, and writes what is found in each, for comparison with the real program. The level is
//! the only argument: `2.8` or `2.18`.

use bitzel_base::CompatLevel;
use bitzel_scan::{NoVisitor, PythonRefs, ScanError, scan_module, scan_python, scan_shell};
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
        let answer = match request["k"].as_str() {
            Some("mod") => module(text, request["n"].as_str().unwrap_or_default(), level),
            Some("py") => scan_python(text, level).map(shown),
            _ => shell(text, level),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "err": error.to_string() }));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn shell(text: &str, level: CompatLevel) -> Result<Value, ScanError> {
    let refs = scan_shell(text, level)?;
    Ok(json!({ "execs": refs.execs, "funcs": refs.functions }))
}

fn shown(refs: PythonRefs) -> Value {
    let PythonRefs { references, execs, var_execs, contains } = refs;
    json!({ "references": references, "execs": execs, "var_execs": var_execs, "contains": contains })
}

fn module(text: &str, namespace: &str, level: CompatLevel) -> Result<Value, ScanError> {
    let functions = scan_module(text, namespace, level, &NoVisitor)?;
    Ok(functions
        .into_iter()
        .map(|f| (f.name.to_string(), json!({ "hash": f.source_hash, "refs": shown(f.refs) })))
        .collect())
}
