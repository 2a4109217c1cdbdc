//! Where a hash equivalence server listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a server, as in BB_HASHSERVE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `HOST:PORT`, `[IPV6]:PORT`.
    Tcp {
        /// Name or number, without brackets.
        host: String,
        /// 0 lets the system choose, for servers.
        port: u16,
    },
    /// `unix://PATH`.
    Unix(PathBuf),
    /// `ws://HOST[:PORT][/PATH]`, `wss://HOST[:PORT][/PATH]`.
    WebSocket {
        /// Over TLS: `wss`.
        secure: bool,
        /// Name or number.
        host: String,
        /// 80 if not given, 443 over TLS.
        port: u16,
        /// With the slash.
        path: String,
    },
}

/// A text that is no [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address of a hash equivalence server (HOST:PORT, unix://PATH, ws://HOST:PORT or wss://HOST:PORT)"
)]
pub struct InvalidAddress(pub String);

impl FromStr for Address {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let bad = || InvalidAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.is_empty() { Err(bad()) } else { Ok(Address::Unix(PathBuf::from(path))) };
        }
        for (scheme, secure, default_port) in [("ws://", false, 80), ("wss://", true, 443)] {
            if let Some(rest) = text.strip_prefix(scheme) {
                let (place, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
                let (host, port) = host_port(place).unwrap_or_else(|| (place.to_owned(), default_port));
                let path = path.to_owned();
                let address = Address::WebSocket { secure, host, port, path };
                return if place.is_empty() { Err(bad()) } else { Ok(address) };
            }
        }
        let (host, port) = host_port(text).ok_or_else(bad)?;
        if text.contains("://") { Err(bad()) } else { Ok(Address::Tcp { host, port }) }
    }
}

fn host_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracket = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self {
            Address::Tcp { host, port } => write!(f, "{}:{port}", bracket(host)),
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::WebSocket { secure, host, port, path } => {
                let scheme = if *secure { "wss" } else { "ws" };
                write!(f, "{scheme}://{}:{port}{path}", bracket(host))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in
            ["localhost:8686", "[::1]:1", "unix:///a/b.sock", "ws://h:80/", "ws://h:8/x/y", "wss://h:9/x"]
        {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("ws://h".parse::<Address>().unwrap().to_string(), "ws://h:80/");
        assert_eq!("wss://h/a".parse::<Address>().unwrap().to_string(), "wss://h:443/a");
        for bad in ["", "ws://", "wss:///x", "localhost", "h:x", "unix://", "http://h:1", ":8"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
