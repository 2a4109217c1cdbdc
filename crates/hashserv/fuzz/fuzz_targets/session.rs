//! Any bytes sent to a server end in an answer or a closed connection, and the
//! server serves on.
#![no_main]

use bitzel_hashserv::{Address, Client, Database, Server, ServerHandle, ServerOptions};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;

fn server() -> &'static ServerHandle {
    static SERVER: OnceLock<ServerHandle> = OnceLock::new();
    SERVER.get_or_init(|| {
        let address: Address = "127.0.0.1:0".parse().expect("an address");
        let database = Database::in_memory().expect("memory");
        Server::bind(&address, database, ServerOptions::default()).expect("a free port").start()
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Address::Tcp { host, port } = server().address() else { return };
    let mut stream = TcpStream::connect((host.as_str(), *port)).expect("the server listens");
    // The server may have closed the connection already.
    let _ = stream.write_all(b"OEHASHEQUIV 1.1\n\n").and_then(|()| stream.write_all(data));
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
    let mut client = Client::connect(server().address()).expect("the server serves on");
    client.unihash("m", "t").expect("an answer");
});
