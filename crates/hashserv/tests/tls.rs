//! `wss://`: the server's certificate has to be one the system trusts.

use bitzel_hashserv::{Address, Client};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

/// Set for the process that is the client.
const CLIENT_OF: &str = "WSS_CLIENT_OF";

/// A server that greets and answers each message of one client with `{"alive": true}`.
/// Answers with its address and its certificate.
fn serve() -> (Address, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let certificate = certified.cert.der().clone();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::new(config.clone())).unwrap();
            let Ok(mut socket) = tungstenite::accept(StreamOwned::new(connection, stream.unwrap())) else {
                continue;
            };
            while let Ok(message) = socket.read() {
                if message.to_text().is_ok_and(|text| text.starts_with('{')) {
                    socket.send(tungstenite::Message::text(json!({"alive": true}).to_string())).unwrap();
                }
            }
        }
    });
    (format!("wss://localhost:{port}/").parse().unwrap(), certified.cert.pem())
}

/// The client is a process of its own: which certificates a system trusts is set by its
/// environment.
fn ping(test: &str, address: &Address, trusted: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trusted.pem");
    std::fs::write(&file, trusted).unwrap();
    let mut client = Command::new(std::env::current_exe().unwrap());
    client.args(["--exact", test]).env(CLIENT_OF, address.to_string()).env("SSL_CERT_FILE", file);
    client.output().unwrap().status.success()
}

fn ping_as_client() -> bool {
    let Ok(address) = std::env::var(CLIENT_OF) else { return false };
    let mut client = Client::connect(&address.parse().unwrap()).unwrap();
    assert_eq!(client.command("ping", &json!({})).unwrap()["alive"], true);
    true
}

#[test]
fn a_trusted_server_is_talked_to_over_tls() {
    if !ping_as_client() {
        let (address, certificate) = serve();
        assert!(ping("a_trusted_server_is_talked_to_over_tls", &address, &certificate));
    }
}

#[test]
fn a_server_nobody_trusts_is_refused() {
    if !ping_as_client() {
        let (address, _) = serve();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        assert!(!ping("a_server_nobody_trusts_is_refused", &address, &other.cert.pem()));
    }
}
