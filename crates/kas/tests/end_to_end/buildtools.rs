//! Buildtools: downloaded, verified, installed once, sourced.

use crate::world::World;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Stands in for the installer: `-d DIR -y`.
const INSTALLER: &str = "#!/bin/sh\n[ \"$1 $3\" = '-d -y' ] || exit 1\n\
    printf 'SDK Version: 1\\nDistro Version: 5.0\\n' > \"$2/version-x86_64\"\n\
    echo 'export TOOLS=sourced' > \"$2/environment-setup-x86_64\"\n";

/// A server for one file; answers with its url and ends with the test.
fn serve(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tools", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = request.next().unwrap().unwrap();
            while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let found = first.starts_with("GET /tools/b%20t.sh ");
            let (status, body) = if found { ("200 OK", text) } else { ("404 Not Found", "") };
            write!(stream, "HTTP/1.0 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    url
}

fn project(world: &World, url: &str, version: &str, sum: &str) {
    let tools =
        format!("{{version: \"{version}\", sha256sum: \"{sum}\", base_url: \"{url}\", filename: b t.sh}}");
    let repos = "repos:\n  this:\n    layers: {}\n";
    world.write("project/k.yml", &format!("header: {{version: 23}}\n{repos}buildtools: {tools}\n"));
    world.write("project/oe-init-build-env", "mkdir -p \"$1\"; export BUILDDIR=\"$1\" INIT=\"$TOOLS\"\n");
}

#[test]
fn buildtools_are_downloaded_verified_and_sourced_before_the_init_script() {
    if !crate::world::tool("wget", &["--version"]) {
        println!("wget is not installed: nothing to download with");
        return;
    }
    let sum: String = Sha256::digest(INSTALLER).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut world = World::new();
    let url = serve(INSTALLER);
    project(&world, &url, "5.0", &"0".repeat(64));
    let (code, _, stderr) = world.run(&["checkout", "k.yml"]);
    assert!(code == 2 && stderr.contains("sha256sum mismatch"), "{stderr}");
    assert!(!world.project().join("build/buildtools/environment-setup-x86_64").exists());
    world.set("KAS_BUILDTOOLS_DIR", "@WORK@/tools");
    project(&world, &url, "5.0", &sum);
    let shell = ["shell", "-c", "echo $INIT", "k.yml"];
    let (code, stdout, stderr) = world.run(&shell);
    assert_eq!((code, stdout.as_str()), (0, "sourced\n"), "{stderr}");
    assert!(world.root.join("tools/environment-setup-x86_64").exists());
    // installed already: nothing to download
    project(&world, "http://127.0.0.1:1/nowhere", "5.0", &sum);
    assert_eq!(world.run(&shell).1, "sourced\n");
    // another version is wanted: installed anew
    project(&world, "http://127.0.0.1:1/nowhere", "5.1", &sum);
    let (code, _, stderr) = world.run(&shell);
    assert!(code == 2 && stderr.contains("version mismatch"), "{stderr}");
}
