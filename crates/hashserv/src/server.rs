//! The embedded server: one thread listens, one serves each client.

use crate::address::Address;
use crate::database::Database;
use crate::error::HashservError;
use crate::session::Session;
use crate::users::Permissions;
use crate::wire::{Carrier, Lines};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// How a server behaves.
pub struct ServerOptions {
    /// What those may do who do not say who they are.
    pub anonymous: Permissions,
    /// A user with all permissions: name and token.
    pub admin: Option<(String, String)>,
    /// A server to ask for what is not known here.
    pub upstream: Option<Address>,
    /// Reports are answered and not kept.
    pub read_only: bool,
    /// What time it is.
    pub clock: fn() -> SystemTime,
    /// Gets the message of what goes wrong with one client or upstream.
    pub complain: Box<dyn Fn(&str) + Send + Sync>,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            anonymous: Permissions::default_anonymous(),
            admin: None,
            upstream: None,
            read_only: false,
            clock: SystemTime::now,
            complain: Box::new(|_| {}),
        }
    }
}

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) options: ServerOptions,
    database: Mutex<Database>,
    stats: Mutex<Stats>,
    stop: AtomicBool,
    clients: Mutex<BTreeMap<u64, Box<dyn Fn() + Send>>>,
    next_client: AtomicU64,
}

impl Shared {
    pub(crate) fn database(&self) -> MutexGuard<'_, Database> {
        // A session that panicked has left no statement half done.
        self.database.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn complain(&self, error: &HashservError) {
        (self.options.complain)(&error.to_string());
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<u64, Box<dyn Fn() + Send>>> {
        self.clients.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Times of requests, in seconds.
#[derive(Default)]
pub(crate) struct Stats {
    count: u64,
    total: f64,
    most: f64,
    squares: f64,
}

impl Stats {
    pub(crate) fn add(&mut self, seconds: f64) {
        self.count += 1;
        self.total += seconds;
        self.most = self.most.max(seconds);
        self.squares += seconds * seconds;
    }

    pub(crate) fn show(&self) -> Value {
        let count = self.count.max(1) as f64;
        let average = self.total / count;
        let deviation = (self.squares / count - average * average).max(0.0).sqrt();
        json!({ "requests": {
            "num": self.count, "total_time": self.total, "max_time": self.most,
            "average": average, "stdev": deviation,
        } })
    }

    pub(crate) fn reset(&mut self) -> Value {
        let shown = self.show();
        *self = Stats::default();
        shown
    }
}

/// A server that is ready to serve.
pub struct Server {
    shared: Arc<Shared>,
    listener: Listener,
    address: Address,
}

enum Listener {
    Tcp(TcpListener, bool),
    Unix(UnixListener, PathBuf),
}

impl Server {
    /// Binds to an address. A socket file nobody listens at is replaced.
    ///
    /// # Errors
    /// No such address, or somebody listens there.
    pub fn bind(
        address: &Address,
        database: Database,
        options: ServerOptions,
    ) -> Result<Server, HashservError> {
        let failed = |source| HashservError::Connect { address: address.clone(), source };
        let (listener, bound) = match address {
            Address::Unix(path) => {
                if UnixStream::connect(path).is_ok() {
                    return Err(failed(io::Error::from(io::ErrorKind::AddrInUse)));
                }
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
                (Listener::Unix(UnixListener::bind(path).map_err(failed)?, path.clone()), address.clone())
            }
            Address::Tcp { host, port } => {
                let listener = TcpListener::bind((host.as_str(), *port)).map_err(failed)?;
                let port = listener.local_addr().map_err(failed)?.port();
                (Listener::Tcp(listener, false), Address::Tcp { host: host.clone(), port })
            }
            Address::WebSocket { secure: true, .. } => {
                let cause = "it cannot serve TLS itself; serve ws:// behind a proxy that does";
                return Err(failed(io::Error::new(io::ErrorKind::Unsupported, cause)));
            }
            Address::WebSocket { secure: false, host, port, path } => {
                let listener = TcpListener::bind((host.as_str(), *port)).map_err(failed)?;
                let port = listener.local_addr().map_err(failed)?.port();
                (
                    Listener::Tcp(listener, true),
                    Address::WebSocket { secure: false, host: host.clone(), port, path: path.clone() },
                )
            }
        };
        if let Some((name, token)) = &options.admin {
            let everything = Permissions::new(["@all"]).expect("a known permission");
            if !database.new_user(name, &everything, token)? {
                database.set_token(name, token)?;
                database.set_permissions(name, &everything)?;
            }
        }
        let shared = Shared {
            options,
            database: Mutex::new(database),
            stats: Mutex::default(),
            stop: AtomicBool::new(false),
            clients: Mutex::default(),
            next_client: AtomicU64::new(0),
        };
        Ok(Server { shared: Arc::new(shared), listener, address: bound })
    }

    /// The address with the port the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Serves in threads of its own until the handle is dropped.
    pub fn start(self) -> ServerHandle {
        let (shared, address) = (self.shared.clone(), self.address.clone());
        let thread = thread::spawn(move || self.serve());
        ServerHandle { shared, address, thread: Some(thread) }
    }

    /// Serves until [`ServerHandle`] is dropped, or for ever.
    pub fn serve(self) {
        loop {
            let lines = self.accept();
            if self.shared.stop.load(Ordering::SeqCst) {
                break;
            }
            match lines {
                Ok((connect, close)) => self.serve_client(connect, close),
                Err(error) => {
                    self.shared.complain(&HashservError::Io(error));
                    // Too many open files, say: the next try may be luckier.
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
        if let Listener::Unix(_, path) = &self.listener {
            // Somebody else may have removed it.
            let _ = fs::remove_file(path);
        }
    }

    fn serve_client(&self, connect: Connect, close: Box<dyn Fn() + Send>) {
        let shared = self.shared.clone();
        let number = shared.next_client.fetch_add(1, Ordering::SeqCst);
        shared.clients().insert(number, close);
        thread::spawn(move || {
            let done = connect().and_then(|lines| Session::run(shared.clone(), lines));
            if let Err(error) = done
                && !shared.stop.load(Ordering::SeqCst)
            {
                shared.complain(&error);
            }
            shared.clients().remove(&number);
        });
    }

    fn accept(&self) -> io::Result<(Connect, Box<dyn Fn() + Send>)> {
        match &self.listener {
            Listener::Tcp(listener, websocket) => {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                let closing = stream.try_clone()?;
                let close = Box::new(move || drop(closing.shutdown(Shutdown::Both)));
                let websocket = *websocket;
                let connect: Connect = Box::new(move || tcp_lines(stream, websocket));
                Ok((connect, close))
            }
            Listener::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                let closing = stream.try_clone()?;
                let close = Box::new(move || drop(closing.shutdown(Shutdown::Both)));
                let connect: Connect =
                    Box::new(move || Ok(Lines::stream(Box::new(stream.try_clone()?), Box::new(stream))));
                Ok((connect, close))
            }
        }
    }
}

type Connect = Box<dyn FnOnce() -> Result<Lines, HashservError> + Send>;

fn tcp_lines(stream: TcpStream, websocket: bool) -> Result<Lines, HashservError> {
    if !websocket {
        return Ok(Lines::stream(Box::new(stream.try_clone()?), Box::new(stream)));
    }
    let stream: Box<dyn Carrier> = Box::new(stream);
    let socket = tungstenite::accept(stream).map_err(|error| HashservError::Protocol(error.to_string()))?;
    Ok(Lines::WebSocket(Box::new(socket)))
}

/// A running server; dropping it stops the server and disconnects its clients.
pub struct ServerHandle {
    shared: Arc<Shared>,
    address: Address,
    thread: Option<JoinHandle<()>>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listening thread; if that fails it is not listening any more.
        match &self.address {
            Address::Unix(path) => drop(UnixStream::connect(path)),
            Address::Tcp { host, port } | Address::WebSocket { host, port, .. } => {
                drop(TcpStream::connect((host.as_str(), *port)));
            }
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        self.shared.clients().values().for_each(|close| close());
    }
}
