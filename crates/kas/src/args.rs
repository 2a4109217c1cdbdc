//! The command line of kas 5.4, and what bitzel adds to it.

use crate::steps::STEPS;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// What `--version` says after the name.
const VERSION: &str = "5.4 (configuration format version 23, earliest compatible version 1)";

/// The parser; `program` is shown in help texts.
pub fn command(program: &str) -> Command {
    Command::new("kas")
        .bin_name(program.to_owned())
        .about("kas - setup tool for bitbake based project")
        .version(VERSION)
        .infer_long_args(true)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("log-level")
                .short('l')
                .long("log-level")
                .value_parser(["debug", "info", "warning", "error", "critical"])
                .default_value("info")
                .help("Set log level"),
        )
        .subcommands(commands())
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn config() -> Arg {
    Arg::new("config")
        .help("Config file(s), separated by colon; .config.yaml in KAS_WORK_DIR if none is given")
}

/// Flags of all commands that set up repositories.
fn common(command: Command) -> Command {
    let steps: Vec<&'static str> = STEPS.iter().map(|step| step.name()).collect();
    command
        .arg(
            Arg::new("skip")
                .long("skip")
                .value_name("STEP")
                .action(ArgAction::Append)
                .value_parser(steps)
                .help("Skip a build step; may be given several times"),
        )
        .arg(flag("force-checkout", "Check out the desired revision, discarding any local changes"))
        .arg(flag(
            "update",
            "Pull new upstream changes even if the branch is checked out already; ignore lock files",
        ))
        .arg(flag("submodules", "Check out the git submodules of repositories, too"))
        .arg(flag("lfs", "Fetch the git LFS files of repositories, too"))
}

fn keep_config() -> Arg {
    flag("keep-config-unchanged", "Skip steps that change the configuration").short('k')
}

fn preserve_env() -> Arg {
    flag("preserve-env", "Keep current user environment block").short('E')
}

fn format_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("indent")
                .long("indent")
                .value_parser(clap::value_parser!(i64))
                .default_value("2")
                .help("Line indent (# of spaces)"),
        )
        .arg(flag("sort", "Alphanumerically sort keys in output"))
}

fn commands() -> Vec<Command> {
    let mut all = vec![build(), common(Command::new("checkout").about(CHECKOUT)).arg(config())];
    all.extend(clean());
    all.extend([diff(), dump(), for_all_repos()]);
    all.push(format_args(
        common(Command::new("lock").about("Create and update kas project lockfiles.")).arg(config()),
    ));
    all.push(
        Command::new("menu")
            .about(MENU)
            .arg(Arg::new("kconfig").default_value("Kconfig").help("Kconfig file")),
    );
    all.push(shell());
    all.push(
        common(Command::new("why").about("Tell which file of the project set a value (bitzel only)."))
            .arg(Arg::new("key").required(true).help("Keys joined by dots, e.g. repos.poky.branch"))
            .arg(config()),
    );
    all.push(convert());
    all.into_iter().map(|command| command.infer_long_args(true)).collect()
}

const CHECKOUT: &str = "Checks out all necessary repositories and sets up the build directory as specified in the configuration file.";
const MENU: &str = "Provides a configuration menu and triggers the build of the choices.";

fn build() -> Command {
    common(Command::new("build").about(
        "Checks out all necessary repositories and builds using bitbake as specified in the configuration file.",
    ))
    .arg(config())
    .arg(
        Arg::new("extra")
            .num_args(0..)
            .help("Extra arguments to pass to bitbake (typically requires separation via '--')"),
    )
    .arg(keep_config())
    .arg(Arg::new("target").long("target").action(ArgAction::Append).help("Select target to build"))
    .arg(
        Arg::new("task")
            .short('c')
            .long("cmd")
            .visible_alias("task")
            .help("Select which task should be executed"),
    )
    .arg(
        Arg::new("provenance")
            .long("provenance")
            .value_parser(["true", "mode=min", "mode=max"])
            .help("Enable provenance attestation generation"),
    )
}

fn clean() -> Vec<Command> {
    let one = |name: &'static str, about: &'static str| {
        Command::new(name)
            .about(about)
            .arg(flag("dry-run", "Do not remove anything, just print what would be removed"))
            .arg(
                flag("isar-privileged", "Use ISAR (privileged) build directory layout")
                    .visible_alias("isar")
                    .conflicts_with("isar-rootless"),
            )
            .arg(flag("isar-rootless", "Use ISAR (rootless) build directory layout"))
            .arg(config())
    };
    vec![
        one("clean", "Clean build artifacts, keep sstate cache and downloads."),
        one("cleansstate", "Clean build artifacts and sstate cache."),
        one("cleanall", "Clean build artifacts, sstate-cache and downloads."),
        one("purge", "Purge all data managed by kas, including managed repos.")
            .arg(flag("preserve-repo-refs", "Do not remove the reference repositories")),
    ]
}

fn diff() -> Command {
    common(Command::new("diff").about("Compare two kas configurations."))
        .arg(Arg::new("config1").required(true).help("The first config file to be compared."))
        .arg(Arg::new("config2").required(true).help("The second config file to be compared."))
        .arg(Arg::new("format").long("format").value_parser(["json", "text"]).default_value("text"))
        .arg(flag("oneline", "Use git oneline output for differing commits."))
        .arg(flag("no-color", "Disable colored highlighting of diffs."))
        .arg(flag("commit-only", "List only the commits of different repository revisions."))
        .arg(flag("content-only", "List only the differences of the kas configurations."))
}

fn dump() -> Command {
    format_args(common(Command::new("dump").about(
        "Expand and dump the final config to stdout. When resolving branches, this is done before patches are applied.",
    )))
    .arg(config())
    .arg(Arg::new("format").long("format").value_parser(["yaml", "json"]).default_value("yaml").help("Output format"))
    .arg(flag("resolve-refs", "Replace floating refs with exact SHAs. Overrides are removed"))
    .arg(flag("resolve-local", "Add tracking information of root repo"))
    .arg(flag("resolve-env", "Set env defaults to captured env value").conflicts_with("lock"))
    .arg(flag("lock", "Create lockfile with exact SHAs"))
    .arg(flag("inplace", "Update the lockfile").short('i').hide(true))
}

fn for_all_repos() -> Command {
    common(Command::new("for-all-repos").about("Runs a specified command in all checked out repositories."))
        .allow_missing_positional(true)
        .arg(config())
        .arg(preserve_env())
        .arg(keep_config())
        .arg(Arg::new("command").required(true).help("Command to be executed as a string."))
}

fn shell() -> Command {
    common(Command::new("shell").about("Run a shell in the build environment."))
        .arg(config())
        .arg(preserve_env())
        .arg(keep_config())
        .arg(Arg::new("command").short('c').long("command").help("Run command"))
}

fn convert() -> Command {
    Command::new("convert")
        .about("Convert between kas files and bitbake-setup's JSON configurations (bitzel only).")
        .arg(Arg::new("input").required(true).help("A kas file, or a .conf.json of bitbake-setup"))
        .arg(
            Arg::new("configuration")
                .help("Which configuration of a bitbake-setup file; needed if it has several"),
        )
        .arg(
            Arg::new("choice")
                .long("choice")
                .value_name("FRAGMENT")
                .action(ArgAction::Append)
                .help("A fragment of those of which one has to be chosen"),
        )
}

/// The value of an option.
pub(crate) fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a str> {
    matches.try_get_one::<String>(name).ok().flatten().map(String::as_str)
}

/// All values of an option.
pub(crate) fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned().collect()
}

/// Whether a flag is given.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
}

/// The steps to skip: those named, and those that change the configuration
/// if it is to be kept.
pub(crate) fn skipped(matches: &ArgMatches) -> Vec<String> {
    let mut skip = texts(matches, "skip");
    if is_set(matches, "keep-config-unchanged") {
        skip.extend(crate::steps::KEEP_CONFIG.map(str::to_owned));
    }
    skip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_consistent_and_tells_the_version() {
        command("kas").debug_assert();
        let (newest, oldest) = (bitzel_project::FORMAT_VERSION, bitzel_project::OLDEST_FORMAT_VERSION);
        let kas = crate::KAS_VERSION;
        let expected =
            format!("{kas} (configuration format version {newest}, earliest compatible version {oldest})");
        assert_eq!(VERSION, expected);
    }

    #[test]
    fn arguments_are_understood_as_kas_understands_them() {
        let parse =
            |line: &str| command("kas").try_get_matches_from(line.split(' ')).map_err(|e| e.exit_code());
        let (_, build) = parse("kas build -c fetch --target x --target y k.yml -- -k -n")
            .unwrap()
            .remove_subcommand()
            .unwrap();
        assert_eq!(texts(&build, "extra"), ["-k", "-n"]);
        assert_eq!(texts(&build, "target"), ["x", "y"]);
        let (_, all) = parse("kas for-all-repos pwd").unwrap().remove_subcommand().unwrap();
        assert_eq!((text(&all, "config"), text(&all, "command")), (None, Some("pwd")));
        let (_, dump) = parse("kas dump --force --resolve-e k.yml").unwrap().remove_subcommand().unwrap();
        assert!(is_set(&dump, "force-checkout") && is_set(&dump, "resolve-env"));
        for wrong in [
            "kas frob",
            "kas dump --lock --resolve-env k.yml",
            "kas checkout --skip nostep k.yml",
            "kas -l bogus dump",
        ] {
            assert_eq!(parse(wrong).unwrap_err(), 2, "{wrong}");
        }
    }
}
