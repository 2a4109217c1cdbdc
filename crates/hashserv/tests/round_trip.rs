//! Client and server together, over every kind of connection.

use bitzel_hashserv::{
    Address, Client, Credentials, Database, HashservError, Permissions, Report, Server, ServerHandle,
    ServerOptions,
};
use serde_json::json;

fn serve(address: &str, options: ServerOptions) -> ServerHandle {
    let address: Address = address.parse().unwrap();
    Server::bind(&address, Database::in_memory().unwrap(), options).unwrap().start()
}

fn hash(c: char) -> String {
    c.to_string().repeat(64)
}

fn report(task: char, out: char, uni: char) -> Report {
    Report {
        method: "m".into(),
        taskhash: hash(task),
        outhash: hash(out),
        unihash: hash(uni),
        extra: vec![("PN".into(), "foo".into())],
    }
}

/// What every connection has to be able to do.
fn exercise(address: &Address) {
    let mut client = Client::connect(address).unwrap();
    assert_eq!(client.unihash("m", &hash('a')).unwrap(), None);
    assert_eq!(client.report(&report('a', 'b', 'c')).unwrap(), hash('c'));
    assert_eq!(client.report(&report('d', 'b', 'e')).unwrap(), hash('c'), "same output, same unihash");
    assert_eq!(client.report(&report('d', 'f', 'e')).unwrap(), hash('c'), "a unihash stays");
    let tasks: Vec<(String, String)> =
        (0..500).map(|n| ("m".to_owned(), if n % 2 == 0 { hash('d') } else { hash('0') })).collect();
    let asked: Vec<(&str, &str)> = tasks.iter().map(|(m, t)| (m.as_str(), t.as_str())).collect();
    let answers = client.unihashes(&asked).unwrap();
    assert!(answers.iter().enumerate().all(|(n, a)| *a == (n % 2 == 0).then(|| hash('c'))));
    assert!(client.unihash_exists(&hash('c')).unwrap() && !client.unihash_exists(&hash('d')).unwrap());
    assert_eq!(client.report_equivalent("m", &hash('7'), &hash('c')).unwrap(), hash('c'));
    assert_eq!(client.task("m", &hash('a')).unwrap().unwrap()["PN"], "foo");
    let long =
        Report { extra: vec![("outhash_siginfo".into(), "ä".repeat(100_000))], ..report('1', '2', '3') };
    assert_eq!(client.report(&long).unwrap(), hash('3'));
    let row = client.outhash("m", &hash('2'), &hash('1'), false).unwrap().unwrap();
    assert_eq!(row["outhash_siginfo"].as_str().unwrap().chars().count(), 100_000);
    let refused = client.report(&Report { unihash: "x".into(), ..report('8', '8', '8') }).unwrap_err();
    assert!(matches!(refused, HashservError::Refused(message) if message == "Invalid unihash"));
    assert_eq!(client.unihash("m", &hash('a')).unwrap(), Some(hash('c')), "connects anew after a refusal");
}

#[test]
fn tcp_unix_and_websocket_carry_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for address in [
        "127.0.0.1:0".to_owned(),
        "ws://127.0.0.1:0".to_owned(),
        format!("unix://{}/h.sock", dir.path().display()),
    ] {
        let server = serve(&address, ServerOptions::default());
        exercise(server.address());
    }
    assert!(!dir.path().join("h.sock").exists(), "the socket file is removed");
}

#[test]
fn users_may_do_what_they_were_given() {
    let options = ServerOptions {
        anonymous: Permissions::default(),
        admin: Some(("adm".into(), "pw".into())),
        ..ServerOptions::default()
    };
    let server = serve("127.0.0.1:0", options);
    let login = |username: &str, token: &str| {
        let credentials = Credentials { username: username.into(), token: token.into() };
        Client::connect_as(server.address(), Some(credentials))
    };
    let mut nobody = Client::connect(server.address()).unwrap();
    assert!(matches!(nobody.unihash("m", &hash('a')), Err(HashservError::Refused(_))));
    assert!(matches!(login("adm", "wrong"), Err(HashservError::Refused(_))));
    let mut admin = login("adm", "pw").unwrap();
    let bob = admin.command("new-user", &json!({ "username": "bob", "permissions": ["@read"] })).unwrap();
    let mut bob = login("bob", bob["token"].as_str().unwrap()).unwrap();
    assert_eq!(bob.report(&report('a', 'b', 'c')).unwrap(), hash('c'));
    assert_eq!(bob.unihash("m", &hash('a')).unwrap(), None, "without @report nothing is kept");
    assert!(matches!(
        bob.command("remove", &json!({ "where": { "method": "m" } })),
        Err(HashservError::Refused(_))
    ));
    admin.command("set-user-perms", &json!({ "username": "bob", "permissions": ["@all"] })).unwrap();
    let shown = admin.command("get-user", &json!({ "username": "bob" })).unwrap();
    assert_eq!(shown["permissions"].as_array().unwrap().len(), 5);
}

#[test]
fn what_upstream_knows_is_kept() {
    let up = serve("127.0.0.1:0", ServerOptions::default());
    let mut up_client = Client::connect(up.address()).unwrap();
    up_client.report(&report('a', 'b', 'c')).unwrap();
    let down = serve(
        "127.0.0.1:0",
        ServerOptions { upstream: Some(up.address().clone()), ..ServerOptions::default() },
    );
    let mut client = Client::connect(down.address()).unwrap();
    assert_eq!(client.report(&report('d', 'b', 'e')).unwrap(), hash('c'));
    assert_eq!(client.unihash("m", &hash('a')).unwrap(), Some(hash('c')));
    assert_eq!(up_client.unihash("m", &hash('d')).unwrap(), None, "reports stay here");
    drop(up_client);
    drop(up);
    assert_eq!(client.unihash("m", &hash('a')).unwrap(), Some(hash('c')));
    assert_eq!(client.unihash("m", &hash('9')).unwrap(), None, "goes on without upstream");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let gone: Address = serve("127.0.0.1:0", ServerOptions::default()).address().clone();
    let error = Client::connect(&gone).err().unwrap();
    assert!(error.to_string().contains(&gone.to_string()), "{error}");
}

#[test]
fn collections_sweep_what_is_not_marked() {
    let server = serve("127.0.0.1:0", ServerOptions::default());
    let mut client = Client::connect(server.address()).unwrap();
    client.report(&report('a', 'b', 'c')).unwrap();
    client.report(&report('d', 'e', 'f')).unwrap();
    let mark = json!({ "mark": "k", "where": { "unihash": hash('c') } });
    assert_eq!(client.command("gc-mark", &mark).unwrap(), json!({ "count": 1 }));
    assert_eq!(
        client.command("gc-status", &json!({})).unwrap(),
        json!({ "keep": 1, "remove": 1, "mark": "k" })
    );
    assert!(client.command("gc-sweep", &json!({ "mark": "other" })).is_err());
    assert_eq!(client.command("gc-sweep", &json!({ "mark": "k" })).unwrap(), json!({ "count": 1 }));
    assert_eq!(client.unihash("m", &hash('d')).unwrap(), None);
    assert_eq!(
        client.command("clean-unused", &json!({ "max_age_seconds": 0 })).unwrap(),
        json!({ "count": 1 })
    );
    assert_eq!(
        client.command("remove", &json!({ "where": { "taskhash": hash('a') } })).unwrap(),
        json!({ "count": 2 })
    );
}
