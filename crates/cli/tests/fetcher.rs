//! The fetcher as the built program has it: the tests of `bb.fetch2` run through `bitzel python`,
//! against real servers on loopback and the answers recorded from BitBake; and `bitzel fetch`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod layer;

use layer::{Layer, stdout};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

#[test]
fn the_fetcher_passes_its_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
    let cache = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bitzel"))
        .args(["python", "-B", "-m", "unittest", "discover", "--verbose"])
        .args(["--start-directory", "fetch_tests", "--top-level-directory", "."])
        .current_dir(folder)
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{report}", String::from_utf8_lossy(&output.stdout));
    // Past the test runner, which shows nothing of a test that passes: what could not be tested here, and why.
    let told = report.lines().filter(|line| line.contains("... skipped") || line.starts_with("OK"));
    for line in told {
        writeln!(std::io::stderr(), "fetcher: {line}").unwrap();
    }
    assert!(!report.contains("the extension module is not built"), "{report}");
}

/// Serves `data` under every path: its port and the paths asked for.
fn serve(data: &'static [u8]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            log.lock().unwrap().push(request.split(' ').nth(1).unwrap_or_default().to_owned());
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", data.len());
            // Who has seen enough may hang up.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(data));
        }
    });
    (port, seen)
}

#[test]
fn all_sources_of_a_build_are_fetched_once_and_reported() {
    let (port, seen) = serve(b"data\n");
    let sha256 = "6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f";
    let recipe = |own: &str| {
        let url = |name: &str| format!("http://127.0.0.1:{port}/{name};name={name};sha256sum={sha256}");
        format!("LICENSE = \"MIT\"\nSRC_URI = \"{} {} file://local\"\n", url("shared"), url(own))
    };
    let app = recipe("app") + "do_build[depends] = \"lib:do_build\"\n";
    let layer = Layer::new(&[("app_1.bb", &app), ("lib_2.bb", &recipe("lib"))]);
    let path = layer.dir.path().join("layer");
    layer.write(
        "build/conf/bblayers.conf",
        format!("BBPATH = \"${{TOPDIR}}\"\nBBLAYERS = \"{}\"\n", path.display()),
    );
    layer.write("layer/files/local", "local\n");
    layer.write(
        "layer/classes/base.bbclass",
        concat!(
            "DL_DIR = \"${TOPDIR}/downloads\"\nFILESPATH = \"${FILE_DIRNAME}/files\"\n",
            "FILE_DIRNAME = \"${@os.path.dirname(d.getVar('FILE'))}\"\n",
            "python do_fetch() {\n    bb.fetch2.Fetch([], d).download()\n}\naddtask fetch\n",
            "do_fetch[network] = \"1\"\ndo_build() {\n:\n}\naddtask build after do_fetch\n",
        ),
    );

    let check = |arguments: &[&str]| layer.run(&[&["fetch", "app", "--offline-check"], arguments].concat());
    let output = check(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(&format!("missing: http://127.0.0.1:{port}/shared")), "{told}");
    assert!(told.contains("(app, lib)") && told.contains("3 downloads are missing"), "{told}");
    assert!(seen.lock().unwrap().is_empty());

    let told = stdout(&layer.run(&["fetch", "app"]));
    assert!(told.contains("3 downloads are missing"), "{told}");
    for line in ["do_fetch: app: fetched, 5 B", "do_fetch: lib: fetched, 5 B"] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(told.matches("shared: fetched, 5 B").count(), 1, "{told}");
    let mut asked = seen.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["/app", "/lib", "/shared"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&check(&["--json"]))).unwrap();
    assert_eq!(report["offline"], true);
    assert_eq!(report["counts"], serde_json::json!({"local": 2, "present": 3}));

    let licenses = stdout(&layer.run(&["fetch", "app", "--licenses"]));
    let licenses: serde_json::Value = serde_json::from_str(&licenses).unwrap();
    let shared = licenses.as_array().unwrap().iter().find(|entry| entry["file"] == "shared").unwrap();
    assert_eq!(shared["licenses"], serde_json::json!({"MIT": ["app-1.0", "lib-1.0"]}));
    assert_eq!(shared["checksums"]["sha256"], sha256);
}
