//! `bitbake-diffsigs` and `bitbake-dumpsig`: signature files in words.

use crate::arguments::ConfigArguments;
use crate::session::Session;
use anyhow::{Result, bail};
use bitzel_base::RecipeId;
use bitzel_taskgraph::{Color, compare, dump, read_siginfo, task_name};
use bitzel_workspace::SignatureFiles;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `bitbake-diffsigs`.
#[derive(clap::Parser)]
#[command(
    name = "bitbake-diffsigs",
    about = "Compares siginfo/sigdata files written out by BitBake or bitzel"
)]
pub struct DiffArguments {
    /// First signature file; dumped if there is no second
    first: Option<PathBuf>,
    /// Second signature file
    second: Option<PathBuf>,
    /// When to use colours
    #[arg(short = 'c', long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    color: String,
    /// Dump the last signature instead of comparing
    #[arg(short = 'd', long)]
    dump: bool,
    /// Take the files of the last two runs of this task
    #[arg(short = 't', long, num_args = 2, value_names = ["RECIPE", "TASK"])]
    task: Vec<String>,
    /// With --task: the hashes to look for instead of the last two
    #[arg(short = 's', long, num_args = 2, value_names = ["FROM", "TO"], requires = "task")]
    signature: Vec<String>,
}

/// Options of `bitbake-dumpsig`.
#[derive(clap::Parser)]
#[command(name = "bitbake-dumpsig", about = "Dumps siginfo/sigdata files written out by BitBake or bitzel")]
pub struct DumpArguments {
    /// Signature file
    file: Option<PathBuf>,
    /// Take the file of the last run of this task
    #[arg(short = 't', long, num_args = 2, value_names = ["RECIPE", "TASK"])]
    task: Vec<String>,
}

/// Prints the differences.
pub fn diff(arguments: DiffArguments) -> Result<ExitCode> {
    let color = match arguments.color.as_str() {
        "always" => Color::Always,
        "auto" if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() => Color::Always,
        _ => Color::Never,
    };
    if let [recipe, task] = &arguments.task[..] {
        let session = Session::load(&ConfigArguments::default())?;
        let (id, task) = find(&session, recipe, task)?;
        let files = SignatureFiles::new(&session.recipes);
        let (old, new) = two_files(&files, &id, &task, &arguments.signature)?;
        if arguments.dump {
            return print_dump(&new);
        }
        let mut recurse = |key: &str, a: &str, b: &str| recursed(&session, &files, key, a, b, color);
        return print(&compare(&read_siginfo(&old)?, &read_siginfo(&new)?, color, Some(&mut recurse)));
    }
    match (&arguments.first, &arguments.second) {
        (Some(file), None) => print_dump(file),
        (Some(first), Some(_)) if arguments.dump => print_dump(first),
        (Some(first), Some(second)) => {
            print(&compare(&read_siginfo(first)?, &read_siginfo(second)?, color, None))
        }
        _ => bail!("give two signature files, or --task RECIPE TASK; see --help"),
    }
}

/// Prints what a file holds.
pub fn dump_file(arguments: DumpArguments) -> Result<ExitCode> {
    if let [recipe, task] = &arguments.task[..] {
        let session = Session::load(&ConfigArguments::default())?;
        let (id, task) = find(&session, recipe, task)?;
        let found = SignatureFiles::new(&session.recipes).of_task(&id, &task);
        let Some(last) = found.first() else { bail!("no signature files of {recipe} {task} found") };
        return print_dump(&last.path);
    }
    match &arguments.file {
        Some(file) => print_dump(file),
        None => bail!("give a signature file, or --task RECIPE TASK; see --help"),
    }
}

fn two_files(
    files: &SignatureFiles<'_>,
    id: &RecipeId,
    task: &str,
    hashes: &[String],
) -> Result<(PathBuf, PathBuf)> {
    let found = files.of_task(id, task);
    let with = |hash: &String| match found.iter().find(|file| file.hash == *hash) {
        Some(file) => Ok(file.path.clone()),
        None => bail!("no signature file of {task} with hash {hash} found"),
    };
    if let [from, to] = hashes {
        return Ok((with(from)?, with(to)?));
    }
    // The same hash may stand beside a stamp and in the sstate cache.
    let newest = found.first();
    let other = newest.and_then(|newest| found.iter().find(|file| file.hash != newest.hash));
    match (other, newest) {
        (Some(old), Some(new)) => Ok((old.path.clone(), new.path.clone())),
        (None, Some(_)) => bail!("only one signature of {task} found; there is nothing to compare it with"),
        _ => bail!("no signature files of {task} found; run the task, or `bitbake -S none`, first"),
    }
}

/// The differences of a dependency's two signatures, if both are found.
fn recursed(
    session: &Session,
    files: &SignatureFiles<'_>,
    key: &str,
    a: &str,
    b: &str,
    color: Color,
) -> Vec<String> {
    let Some((name, task)) = key.rsplit_once(':') else { return Vec::new() };
    let Ok((id, task)) = find(session, name, task) else { return Vec::new() };
    let paths = (files.with_hash(&id, &task, a), files.with_hash(&id, &task, b));
    let (Some(a), Some(b)) = paths else {
        return vec![format!("Unable to find matching sigdata for {key} with hashes {a} or {b}")];
    };
    match (read_siginfo(&a), read_siginfo(&b)) {
        (Ok(a), Ok(b)) => {
            let mut again = |key: &str, a: &str, b: &str| recursed(session, files, key, a, b, color);
            compare(&a, &b, color, Some(&mut again)).into_iter().map(|line| format!("  {line}")).collect()
        }
        (Err(error), _) | (_, Err(error)) => vec![error.to_string()],
    }
}

/// The recipe a name stands for and the full task name.
pub fn find(session: &Session, name: &str, task: &str) -> Result<(RecipeId, String)> {
    let (mc, name) = match name.strip_prefix("mc:").and_then(|rest| rest.split_once(':')) {
        Some(pair) => pair,
        None => ("", name),
    };
    let index = &session.recipes.index;
    match index.choose(mc, name).eligible.first() {
        Some(&ix) => Ok((index.recipe(ix).id.clone(), task_name(task))),
        None => {
            let known = index.provided_names(mc);
            let close = bitzel_taskgraph::close_matches(name, known.into_iter());
            let close =
                if close.is_empty() { String::new() } else { format!("; close: {}", close.join(", ")) };
            bail!("nothing provides `{name}`{close}")
        }
    }
}

fn print_dump(path: &Path) -> Result<ExitCode> {
    print(&dump(&read_siginfo(path)?))
}

fn print(lines: &[String]) -> Result<ExitCode> {
    for line in lines {
        println!("{line}");
    }
    Ok(ExitCode::SUCCESS)
}
