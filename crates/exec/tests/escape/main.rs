//! The escape suite. One program is four things, told apart by the first
//! argument: the sandbox helper, one attempt to escape, one trial of an
//! attempt (without sandbox, in it, in bubblewrap), and the runner of all
//! trials, as root and as an ordinary user.
//!
//! A trial counts only if the attempt succeeds without the sandbox. What could
//! not be checked on this host is listed and counted at the end.
#![allow(unsafe_code, clippy::unwrap_used)]

mod attempts;
mod behaviour;
mod bubblewrap;
mod runner;
mod table;
mod trial;
mod world;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(bitzel_exec::HELPER_ARGUMENT) => bitzel_exec::helper_main(arguments),
        Some("__attempt") => attempts::main(&arguments.next().unwrap()),
        Some("__nested") => behaviour::nested(),
        Some("__trial") => trial::main(&arguments.next().unwrap()),
        _ => runner::main(),
    }
}
