//! Downloads from servers that behave well, badly, and maliciously.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bitzel_fetch::{
    Checksums, Client, Hasher, Job, Options, Outcome, Progress, Stage, download, download_all,
};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Server, answer, answer_ranged};

const BODY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn job(dir: &Path, server: &Server, path: &str) -> Job {
    let expected = [("sha256".to_owned(), sha256(BODY))].into();
    Job { url: server.url(path), target: dir.join("file"), redirect_auth: true, expected, ..Job::default() }
}

fn sha256(data: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(data);
    hasher.finish().sha256
}

fn options() -> Options {
    Options { timeout: 1, ..Options::default() }
}

fn run(job: &Job) -> Outcome {
    let options = options();
    download(&Client::new(&options).unwrap(), job, &options, &|_, _| true)
}

fn error(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed { error, .. } | Outcome::Mismatch { error, .. } => error,
        other => panic!("no failure: {other:?}"),
    }
}

fn assert_done(outcome: &Outcome, job: &Job, body: &[u8]) {
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(std::fs::read(&job.target).unwrap(), body);
    assert_eq!(names(job.target.parent().unwrap()), ["file"]);
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_downloaded_and_its_checksums_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let job = job(dir.path(), &server, "/f");
    let outcome = run(&job);
    assert_done(&outcome, &job, BODY);
    let sums = Checksums::of_file(&job.target).unwrap();
    assert_eq!(outcome, Outcome::Done { url: job.url.clone(), found: sums });
}

#[test]
fn an_interrupted_download_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _, stream| answer_ranged(stream, request, BODY));
    let job = job(dir.path(), &server, "/f");
    std::fs::write(dir.path().join("file.tmp"), &BODY[..10]).unwrap();
    assert_done(&run(&job), &job, BODY);
    assert_eq!(server.seen()[0].range(), Some(10));
}

#[test]
fn a_server_without_ranges_gives_the_whole_file_anew() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let job = job(dir.path(), &server, "/f");
    std::fs::write(dir.path().join("file.tmp"), b"something else that is longer than the file itself")
        .unwrap();
    assert_done(&run(&job), &job, BODY);
}

#[test]
fn a_part_of_another_version_is_thrown_away_when_checksums_tell() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _, stream| answer_ranged(stream, request, BODY));
    let job = job(dir.path(), &server, "/f");
    std::fs::write(dir.path().join("file.tmp"), b"old").unwrap();
    assert_done(&run(&job), &job, BODY);
    // A part that is the whole file and more.
    std::fs::remove_file(&job.target).unwrap();
    std::fs::write(dir.path().join("file.tmp"), [BODY, BODY].concat()).unwrap();
    assert_done(&run(&job), &job, BODY);
}

#[test]
fn a_part_is_not_resumed_where_no_checksum_would_tell_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _, stream| answer_ranged(stream, request, BODY));
    let job = Job { expected: [].into(), ..job(dir.path(), &server, "/f") };
    std::fs::write(dir.path().join("file.tmp"), b"old").unwrap();
    assert_done(&run(&job), &job, BODY);
    assert_eq!(server.seen()[0].range(), None);
}

#[test]
fn a_truncating_server_is_asked_for_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, before, stream| {
        if before < 3 {
            // Promises all, sends five bytes more than last time, and breaks off.
            let from = request.range().unwrap_or(0);
            let head = format!(
                "HTTP/1.1 {}\r\nContent-Length: {}\r\nContent-Range: bytes {from}-35/36\r\nConnection: close\r\n\r\n",
                if from > 0 { "206 Partial Content" } else { "200 OK" },
                BODY.len() - from
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&BODY[from..from + 5]));
        } else {
            answer_ranged(stream, request, BODY);
        }
    });
    let job = job(dir.path(), &server, "/f");
    assert_done(&run(&job), &job, BODY);
    let ranges: Vec<_> = server.seen().iter().map(|request| request.range()).collect();
    assert_eq!(ranges, [None, Some(5), Some(10), Some(15)]);
}

#[test]
fn a_server_that_always_breaks_off_is_given_up_and_nothing_passes_as_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n01234");
    });
    let job = job(dir.path(), &server, "/f");
    let outcome = run(&job);
    assert!(error(&outcome).contains("could not be read"), "{outcome:?}");
    assert!(!job.target.exists());
}

#[test]
fn a_server_that_lies_about_the_range_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, _, stream| match request.range() {
        Some(_) => answer(stream, "206 Partial Content", "Content-Range: bytes 20-35/36\r\n", &BODY[20..]),
        None => answer(stream, "200 OK", "", BODY),
    });
    let job = job(dir.path(), &server, "/f");
    std::fs::write(dir.path().join("file.tmp"), &BODY[..10]).unwrap();
    assert_done(&run(&job), &job, BODY);
}

#[test]
fn wrong_content_is_put_aside_under_its_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let mut job = job(dir.path(), &server, "/f");
    job.expected.insert("md5".to_owned(), "0".repeat(32));
    let outcome = run(&job);
    let Outcome::Mismatch { computed, error, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(names(dir.path()), [format!("file_bad-checksum_{}", computed.md5)]);
    assert!(error.contains("md5") && error.contains(&computed.md5));
}

#[test]
fn a_stalling_server_is_left_after_the_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n");
        std::thread::sleep(Duration::from_secs(60));
    });
    let job = job(dir.path(), &server, "/f");
    let began = Instant::now();
    assert!(error(&run(&job)).contains("could not be read"));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_overloaded_server_is_asked_again_and_a_refusing_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request, before, stream| match request.path.as_str() {
        "/busy" if before == 0 => answer(stream, "503 Service Unavailable", "", b"later"),
        "/gone" => answer(stream, "404 Not Found", "", b"no"),
        "/secret" => answer(stream, "401 Unauthorized", "", b"no"),
        "/empty" => answer(stream, "200 OK", "", b""),
        _ => answer(stream, "200 OK", "", BODY),
    });
    let busy = job(dir.path(), &server, "/busy");
    assert_done(&run(&busy), &busy, BODY);
    let other = tempfile::tempdir().unwrap();
    assert!(error(&run(&job(other.path(), &server, "/gone"))).contains("404"));
    assert!(error(&run(&job(other.path(), &server, "/secret"))).contains(".netrc"));
    assert!(error(&run(&job(other.path(), &server, "/empty"))).contains("empty"));
    assert_eq!(server.seen().iter().filter(|request| request.path == "/gone").count(), 1);
    assert!(names(other.path()).is_empty());
}

#[test]
fn logins_stay_with_the_server_they_are_for() {
    let dir = tempfile::tempdir().unwrap();
    let other = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let elsewhere = other.url("/f");
    let server = Server::start(move |request, _, stream| match request.path.as_str() {
        "/away" => answer(stream, "302 Found", &format!("Location: {elsewhere}\r\n"), b""),
        "/same" => answer(stream, "302 Found", "Location: f\r\n", b""),
        _ => answer(stream, "200 OK", "", BODY),
    });
    for (path, redirect_auth) in [("/same", true), ("/same", false), ("/away", true)] {
        let mut job = job(dir.path(), &server, path);
        (job.user, job.password, job.redirect_auth) = (Some("me".into()), "secret".into(), redirect_auth);
        assert_done(&run(&job), &job, BODY);
    }
    let logins = |server: &Server| -> Vec<bool> {
        server.seen().iter().map(|request| request.headers.contains_key("authorization")).collect()
    };
    assert_eq!(logins(&server), [true, true, true, false, true]);
    assert_eq!(logins(&other), [false]);
    assert_eq!(server.seen()[0].headers["authorization"], "Basic bWU6c2VjcmV0");
}

#[test]
fn a_netrc_file_gives_the_login() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let netrc = dir.path().join("netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password secret").unwrap();
    let options = Options { netrc: Some(netrc), ..options() };
    let job = job(dir.path(), &server, "/f");
    let outcome = download(&Client::new(&options).unwrap(), &job, &options, &|_, _| true);
    assert!(matches!(outcome, Outcome::Done { .. }));
    assert_eq!(server.seen()[0].headers["authorization"], "Basic bWU6c2VjcmV0");
}

#[test]
fn redirections_without_end_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| answer(stream, "302 Found", "Location: /f\r\n", b""));
    assert!(error(&run(&job(dir.path(), &server, "/f"))).contains("redirects too often"));
}

#[test]
fn a_proxy_is_tunnelled_through_unless_the_host_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let proxy = Server::start(|request, _, stream| {
        let mut target = std::net::TcpStream::connect(&request.path).unwrap();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), target.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut target, stream);
    });
    let server = Server::start(|_, _, stream| answer(stream, "200 OK", "", BODY));
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let mut options = Options { proxies: [("http".to_owned(), url)].into(), ..options() };
    let job = job(dir.path(), &server, "/f");
    for (no_proxy, tunnels) in [("", 1), ("example.org,127.0.0.1", 1)] {
        options.no_proxy = no_proxy.to_owned();
        assert_done(&download(&Client::new(&options).unwrap(), &job, &options, &|_, _| true), &job, BODY);
        assert_eq!(proxy.seen().len(), tunnels);
    }
}

#[test]
fn many_askers_of_one_file_cause_one_download() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        std::thread::sleep(Duration::from_millis(100));
        answer(stream, "200 OK", "", BODY);
    });
    let mut one = job(dir.path(), &server, "/f");
    one.lock = Some(dir.path().join("file.lock"));
    one.done = Some(dir.path().join("file.done"));
    let jobs = vec![one; 8];
    let outcomes = download_all(&jobs, &options(), Duration::from_millis(20), |_| true).unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Done { .. })).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Present { .. })).count(), 7);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(names(dir.path()), ["file", "file.done"]);
}

#[test]
fn downloads_run_at_the_same_time_and_tell_their_progress() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n01234");
        std::thread::sleep(Duration::from_millis(600));
        let _ = stream.write_all(&BODY[5..]);
    });
    let jobs: Vec<Job> = (0..6)
        .map(|number| Job { target: dir.path().join(format!("f{number}")), ..job(dir.path(), &server, "/f") })
        .collect();
    let mut most = 0;
    let options = Options { timeout: 20, ..options() };
    let outcomes = download_all(&jobs, &options, Duration::from_millis(20), |going| {
        most = most.max(going.iter().filter(|one| one.done == 5 && one.total == Some(36)).count());
        true
    });
    assert!(outcomes.unwrap().iter().all(|outcome| matches!(outcome, Outcome::Done { .. })));
    assert_eq!(most, 6);
}

#[test]
fn each_download_is_told_once_when_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _, stream| {
        answer(stream, if seen.path == "/none" { "404 Not Found" } else { "200 OK" }, "", BODY);
    });
    let jobs: Vec<Job> = ["/a", "/none", "/b"]
        .iter()
        .map(|path| Job { target: dir.path().join(&path[1..]), ..job(dir.path(), &server, path) })
        .collect();
    let mut ended = Vec::new();
    download_all(&jobs, &options(), Duration::from_millis(1), |downloads| {
        let over = downloads.iter().filter(|one| one.stage != Stage::Active);
        ended.extend(over.map(|one| (one.name.clone(), one.stage, one.done)));
        true
    })
    .unwrap();
    ended.sort_by(|one, other| one.0.cmp(&other.0));
    let had = |name: &str| (name.to_owned(), Stage::Done, BODY.len() as u64);
    assert_eq!(ended, [had("a"), had("b"), ("none".to_owned(), Stage::Failed, 0)]);
}

#[test]
fn everything_stops_when_the_listener_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    let jobs = vec![job(dir.path(), &server, "/f")];
    // Once there is something to go on from.
    let listen = |going: &[Progress]| going.iter().all(|one| one.done == 0);
    let outcomes = download_all(&jobs, &options(), Duration::from_millis(20), listen).unwrap();
    assert!(error(&outcomes[0]).contains("interrupted"));
    assert_eq!(names(dir.path()), ["file.tmp"]);
}

#[test]
fn an_unreachable_host_is_named_without_the_login() {
    let dir = tempfile::tempdir().unwrap();
    let job = Job {
        url: "http://me:secret@127.0.0.1:1/f".to_owned(),
        target: dir.path().join("f"),
        ..Job::default()
    };
    let outcome = run(&job);
    assert!(error(&outcome).contains("127.0.0.1") && !error(&outcome).contains("secret"), "{outcome:?}");
}
