//! Parses every file of the given layers and shows how it went: `check [--level 2.8|2.18] [--errors]
//! DIRECTORY..`. Layers hold .conf and .inc files of other programs too, which are errors. Fails if a tree's text is not that of its file.

use bitzel_base::CompatLevel;
use bitzel_syntax::{FileKind, Severity, parse};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Totals {
    files: usize,
    bytes: usize,
    statements: usize,
    warnings: usize,
    errors: usize,
    show_errors: bool,
    bad_files: usize,
    broken_trees: usize,
    skipped: usize,
    parsing: Duration,
    trees: Duration,
}

fn main() -> ExitCode {
    let mut level = CompatLevel::V2_18;
    let mut totals = Totals::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--errors" => totals.show_errors = true,
            "--level" if args.next().as_deref() == Some("2.8") => level = CompatLevel::V2_8,
            "--level" => level = CompatLevel::V2_18,
            directory => visit(Path::new(directory), level, &mut totals),
        }
    }
    println!(
        "{} files, {} bytes, {} statements, {} warnings, {} errors in {} files, {} not UTF-8 or unreadable",
        totals.files,
        totals.bytes,
        totals.statements,
        totals.warnings,
        totals.errors,
        totals.bad_files,
        totals.skipped
    );
    println!(
        "statements in {:?}, trees in {:?}, {} trees differ from their file",
        totals.parsing, totals.trees, totals.broken_trees
    );
    if totals.broken_trees == 0 && totals.files > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn visit(path: &Path, level: CompatLevel, totals: &mut Totals) {
    if path.is_dir() && !path.is_symlink() {
        let mut entries: Vec<PathBuf> =
            path.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
        entries.sort();
        entries.iter().for_each(|entry| visit(entry, level, totals));
    } else if let Some(kind) = path.to_str().and_then(kind_of)
        && path.is_file()
    {
        match std::fs::read_to_string(path) {
            Ok(text) => check(path, &text, kind, level, totals),
            Err(_) => totals.skipped += 1,
        }
    }
}

fn kind_of(name: &str) -> Option<FileKind> {
    FileKind::of_name(name).or_else(|| name.ends_with(".bbappend").then_some(FileKind::Recipe))
}

fn check(path: &Path, text: &str, kind: FileKind, level: CompatLevel, totals: &mut Totals) {
    let base_config = path.ends_with("conf/layer.conf");
    let start = Instant::now();
    let parsed = parse(text, kind, level, base_config);
    totals.parsing += start.elapsed();
    totals.files += 1;
    totals.bytes += text.len();
    totals.statements += parsed.statements().len();
    for diagnostic in parsed.diagnostics() {
        if diagnostic.severity() == Severity::Warning {
            totals.warnings += 1;
        } else {
            totals.errors += 1;
            if totals.show_errors {
                let name = path.display().to_string();
                println!("{name}:{}: {}", diagnostic.line, diagnostic.message(&name));
            }
        }
    }
    totals.bad_files += usize::from(parsed.error().is_some());
    let start = Instant::now();
    let tree = parsed.syntax();
    totals.trees += start.elapsed();
    if tree.text() != text {
        totals.broken_trees += 1;
        println!("{}: the tree's text differs", path.display());
    }
}
