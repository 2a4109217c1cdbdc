//! Credentials and keys the caller hands over: in a home and an agent of the
//! command's own, gone when it ends.

use crate::world::{World, tool};
use std::path::Path;

const INIT: &str = "mkdir -p \"$1\"; export BUILDDIR=\"$1\"\n";

/// A project that is its own build system.
fn world() -> World {
    let world = World::new();
    world.write("project/k.yml", "header: {version: 23}\nrepos:\n  this:\n    layers: {}\n");
    world.write("project/oe-init-build-env", INIT);
    world
}

/// What a shell in the build environment prints.
fn shell(world: &World, command: &str) -> String {
    let (code, stdout, stderr) = world.run(&["shell", "-c", command, "k.yml"]);
    assert_eq!(code, 0, "{stderr}");
    stdout
}

#[test]
fn files_handed_over_are_in_a_home_that_ends_with_the_command() {
    let mut world = world();
    for (variable, file, text) in [
        ("NETRC_FILE", "netrc", "machine a\nlogin b\npassword c\n"),
        ("NPMRC_FILE", "npmrc", "//registry/:_authToken=t\n"),
        ("REGISTRY_AUTH_FILE", "auth.json", "{\"auths\": {}}"),
        ("GITCONFIG_FILE", "git", "[user]\n\tname = me\n"),
        ("AWS_CONFIG_FILE", "aws/config", "[default]\nregion = e\n"),
        ("AWS_SHARED_CREDENTIALS_FILE", "aws/cred", "[default]\naws_access_key_id = i\n"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "aws/token", "the token\n"),
    ] {
        world.write(file, text);
        world.set(variable, &format!("@WORK@/{file}"));
    }
    world.write("aws/sso/cache/entry.json", "{}\n");
    world.set("GIT_CREDENTIAL_HELPER", "store");
    world.set("GIT_CREDENTIAL_USEHTTPPATH", "true");
    let command = "cd; pwd; find . -type f -perm /077; cat .netrc .npmrc .docker/config.json; echo; \
                   git config --file .gitconfig --list; cat .aws/credentials .aws/sso/cache/entry.json";
    let text = shell(&world, command);
    let (home, rest) = text.split_once('\n').unwrap();
    assert_ne!(home, world.env["HOME"]);
    assert!(!Path::new(home).exists(), "`{home}` is still there");
    assert_eq!(
        rest,
        "machine a\nlogin b\npassword c\n//registry/:_authToken=t\n{\"auths\": {}}\nuser.name=me\n\
         user.email=kas@example.com\ncredential.helper=store\ncredential.usehttppath=true\n[default]\naws_access_key_id = i\n{}\n"
    );
    world.set("AWS_ROLE_ARN", "arn:x");
    world.env.remove("AWS_CONFIG_FILE");
    let text = shell(&world, "cd; cat .aws/config .aws/web_identity_token | grep -v '^$'");
    let lines: Vec<&str> = text.lines().collect();
    assert!(matches!(lines[..], ["[default]", "role_arn = arn:x", file, "the token"]
        if file.starts_with("web_identity_token_file = ") && file.ends_with("/.aws/web_identity_token")));
}

#[test]
fn a_file_that_is_named_but_missing_stops_everything() {
    for variable in ["NETRC_FILE", "NPMRC_FILE", "GITCONFIG_FILE", "REGISTRY_AUTH_FILE", "AWS_CONFIG_FILE"] {
        let mut world = world();
        world.set(variable, "@WORK@/missing");
        let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(variable) && stderr.contains("/missing"), "{stderr}");
    }
}

#[test]
fn gitlab_jobs_log_in_with_their_token() {
    let mut world = world();
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_SERVER_HOST", "gitlab.example.com"),
        ("CI_SERVER_PORT", "8443"),
        ("CI_SERVER_PROTOCOL", "https"),
        ("CI_SERVER_SHELL_SSH_HOST", "ssh.example.com"),
        ("CI_SERVER_SHELL_SSH_PORT", "2222"),
        ("CI_JOB_TOKEN", "secret"),
        ("CI_PROJECT_DIR", "@WORK@/project"),
        ("CI_REGISTRY", "registry.example.com"),
        ("CI_REGISTRY_USER", "gitlab-ci-token"),
    ] {
        world.set(name, value);
    }
    let text = shell(
        &world,
        "cd; cat .netrc; git config --file .gitconfig --get-all safe.directory; \
         git config --file .gitconfig --get-regexp insteadof | sort; tr -d ' \\n' < .docker/config.json",
    );
    let url = |host: &str| {
        let line =
            |from: &str| format!("url.https://{host}/.insteadof {from}").replace("ssh.", "ssh.example.com");
        [line("git@ssh.:"), line("git@ssh.:2222"), line("ssh://git@ssh./"), line("ssh://git@ssh.:2222/")]
    };
    let mut urls = [url("gitlab.example.com"), url("gitlab.example.com:8443")].concat();
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.pop(), Some("{\"auths\":{\"registry.example.com\":{\"auth\":\"c2VjcmV0\"}}}"));
    let project = world.project().display().to_string();
    let netrc = ["machine gitlab.example.com", "login gitlab-ci-token", "password secret"];
    assert_eq!(lines[..4], [netrc[0], netrc[1], netrc[2], &project]);
    let mut found = lines[4..].to_vec();
    found.sort_unstable();
    urls.sort_unstable();
    assert_eq!(found, urls);
}

#[test]
fn managed_environments_keep_the_gitconfig_of_the_caller() {
    let mut world = world();
    world.write("home/.gitconfig", "[user]\n\tname = ci\n");
    let command = "git config --file $HOME/.gitconfig user.name; env | grep REMOTE_CONTAINERS_; true";
    assert_eq!(shell(&world, command), "kas User\n");
    world.set("GITHUB_ACTIONS", "true");
    assert_eq!(shell(&world, command), "ci\n");
    world.env.remove("GITHUB_ACTIONS");
    world.set("REMOTE_CONTAINERS", "true");
    world.set("REMOTE_CONTAINERS_IPC", "socket");
    assert_eq!(shell(&world, command), "ci\nREMOTE_CONTAINERS_IPC=socket\n");
}

#[test]
fn keys_are_held_by_an_agent_of_the_command() {
    let mut world = world();
    let key = world.root.join("key").display().to_string();
    if !tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "me@example.com", "-f", &key]) {
        println!("ssh is not installed: no agent to start");
        return;
    }
    // without its last line break, as CI systems hand it over
    let text = std::fs::read_to_string(&key).unwrap();
    world.set("SSH_PRIVATE_KEY", text.trim_end());
    let text = shell(&world, "ssh-add -L | wc -l; echo $SSH_AUTH_SOCK; ls ~/.ssh 2>/dev/null; true");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("1", 2), "{text}");
    assert!(!Path::new(lines[1]).exists(), "the agent still runs");
    assert!(!world.root.join("home/.ssh").exists());
    world.env.remove("SSH_PRIVATE_KEY");
    world.set("SSH_PRIVATE_KEY_FILE", "@WORK@/key");
    world.set("GITHUB_ACTIONS", "true");
    assert_eq!(shell(&world, "ssh-add -L | wc -l"), "1\n");
    let config = world.root.join("home/.ssh/config");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "Host *\n\tStrictHostKeyChecking no\n\n");
    std::fs::write(&config, "mine").unwrap();
    assert_eq!(shell(&world, "true"), "");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "mine");
    world.set("SSH_AUTH_SOCK", "@WORK@/sock");
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert_eq!(code, 2, "{stderr}");
}
