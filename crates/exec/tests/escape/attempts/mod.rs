//! The attempts. Each is code that runs as the task and says whether it got out.

pub mod files;
pub mod kernel;
pub mod network;
pub mod processes;
pub mod resources;
pub mod tricks;

use crate::world::{Map, SECRET};
use bitzel_exec::{Limits, Network, Resource};
use std::io;

/// What came of an attempt.
pub enum Got {
    /// It reached what it should not.
    Out(String),
    /// It was stopped.
    Held(String),
}

/// Where an attempt succeeds without a sandbox.
#[derive(Clone, Copy, PartialEq)]
pub enum Works {
    /// For everybody: if not, the attempt itself is broken and the trial fails.
    Always,
    /// For root, unless the host is a container or the like: otherwise the trial is not checked.
    AsRoot,
    /// Depending on the host's settings: not checked where it does not.
    Perhaps,
}

pub struct Attempt {
    pub name: &'static str,
    pub works: Works,
    pub run: fn(&Map) -> io::Result<Got>,
    /// The network of the task.
    pub network: Network,
    /// The limit that must stop the attempt, where one must.
    pub limit: Option<(Resource, u64)>,
}

pub const fn attempt(name: &'static str, works: Works, run: fn(&Map) -> io::Result<Got>) -> Attempt {
    Attempt { name, works, run, network: Network::None, limit: None }
}

impl Attempt {
    pub const fn with_network(mut self) -> Attempt {
        self.network = Network::Host;
        self
    }

    pub const fn limited(mut self, resource: Resource, limit: u64) -> Attempt {
        self.limit = Some((resource, limit));
        self
    }

    pub fn limits(&self) -> Limits {
        let none = Limits::none().with(Resource::Timeout, 20_000);
        self.limit.map_or(none.clone(), |(resource, limit)| none.with(resource, limit))
    }
}

pub fn all() -> impl Iterator<Item = &'static Attempt> {
    [files::ALL, tricks::ALL, network::ALL, processes::ALL, kernel::ALL, resources::ALL].into_iter().flatten()
}

/// Exit code of an attempt that got out.
pub const OUT: i32 = 0;
/// Of one that was stopped.
pub const HELD: i32 = 3;

/// Runs one attempt in this process.
pub fn main(name: &str) -> ! {
    let map: Map = serde_json::from_str(&std::env::var("WORLD").unwrap()).unwrap();
    let attempt = all().find(|attempt| attempt.name == name).unwrap();
    let code = match (attempt.run)(&map) {
        Ok(Got::Out(how)) => {
            println!("out: {how}");
            OUT
        }
        Ok(Got::Held(why)) => {
            println!("held: {why}");
            HELD
        }
        Err(error) => {
            println!("held: {error}");
            HELD
        }
    };
    std::process::exit(code)
}

/// Out if the text holds a secret.
pub fn found(text: &str) -> io::Result<Got> {
    Ok(if text.contains(SECRET) {
        Got::Out("read the secret".into())
    } else {
        Got::Held(format!("read {text:?}"))
    })
}

/// Out if a system call did not fail.
pub fn called(result: i64) -> io::Result<Got> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(Got::Out(format!("the call gave {result}"))) }
}

pub fn out(how: &str) -> io::Result<Got> {
    Ok(Got::Out(how.to_owned()))
}

pub fn held(why: &str) -> io::Result<Got> {
    Ok(Got::Held(why.to_owned()))
}
