//! Reaching servers of the host, and being one.

use super::{Attempt, Got, Works, attempt, called, found, held, out};
use crate::world::{Map, read_all};
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

const ABSTRACT: fn(&Map) -> io::Result<Got> = |map| {
    let address = SocketAddr::from_abstract_name(&map.abstract_name)?;
    found(&read_all(UnixStream::connect_addr(&address)?.take(18))?)
};
const SOCKET_FILE: fn(&Map) -> io::Result<Got> =
    |map| found(&read_all(UnixStream::connect(map.socket())?.take(18))?);

pub const ALL: &[Attempt] = &[
    attempt("connect-loopback", Works::Always, |map| {
        found(&read_all(TcpStream::connect(("127.0.0.1", map.tcp4))?.take(18))?)
    }),
    attempt("connect-loopback-6", Works::Perhaps, |map| {
        let port = map.tcp6.ok_or(io::ErrorKind::Unsupported)?;
        found(&read_all(TcpStream::connect(("::1", port))?.take(18))?)
    }),
    attempt("connect-any-address", Works::Always, |map| {
        found(&read_all(TcpStream::connect(("0.0.0.0", map.tcp4))?.take(18))?)
    }),
    attempt("ask-name-server", Works::Always, |map| {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(500)))?;
        socket.send_to(b"name?", ("127.0.0.1", map.udp))?;
        let mut buffer = [0u8; 64];
        let length = socket.recv(&mut buffer)?;
        found(&String::from_utf8_lossy(&buffer[..length]))
    }),
    attempt("connect-abstract-socket", Works::Always, ABSTRACT),
    attempt("connect-socket-file", Works::Always, SOCKET_FILE),
    attempt("network-task-abstract-socket", Works::Always, ABSTRACT).with_network(),
    attempt("network-task-socket-file", Works::Always, SOCKET_FILE).with_network(),
    attempt("network-task-reads-home", Works::Always, |map| {
        found(&std::fs::read_to_string(map.home().join(".netrc"))?)
    })
    .with_network(),
    attempt("network-task-listens", Works::Always, listen).with_network(),
    attempt("listen-any-address", Works::Always, listen),
    attempt("raw-socket", Works::AsRoot, |_| {
        called(i64::from(unsafe { libc::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP) }))
    }),
    attempt("sniff-packets", Works::AsRoot, |_| {
        called(i64::from(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0x300) }))
    })
    .with_network(),
    attempt("see-interfaces", Works::Perhaps, |_| {
        let text = std::fs::read_to_string("/proc/net/dev")?;
        let mut names = text.lines().skip(2).filter_map(|line| line.trim().split(':').next());
        match names.find(|name| *name != "lo" && !name.starts_with("sit") && !name.starts_with("tunl")) {
            Some(name) => out(name),
            None => held("loopback only"),
        }
    }),
    attempt("kernel-crypto-socket", Works::Perhaps, |_| {
        called(i64::from(unsafe { libc::socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0) }))
    }),
    attempt("virtual-machine-socket", Works::Perhaps, |_| {
        called(i64::from(unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0) }))
    }),
    attempt("kernel-event-netlink", Works::Perhaps, |_| {
        // NETLINK_KOBJECT_UEVENT
        called(i64::from(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 15) }))
    }),
];

/// Listens where the trial, on the host, tries to connect.
fn listen(map: &Map) -> io::Result<Got> {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    std::fs::write(map.work().join("port"), port.to_string())?;
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false)?;
            let mut byte = [0u8];
            stream.read_exact(&mut byte)?;
            return out("the host connected");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    held("nobody came")
}
