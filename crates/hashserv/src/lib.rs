//! Hash equivalence: which tasks give the same output.
//!
//! Client and embedded server of the protocol `OEHASHEQUIV 1.1` that BitBake
//! speaks, over TCP, UNIX sockets and websockets. The server keeps its data in
//! the SQLite database BitBake's server keeps, so either may serve it.
//! Plain threads; nothing here is asynchronous.

mod address;
mod client;
mod database;
mod dispatch;
mod error;
mod server;
mod session;
mod time;
mod users;
mod wire;

pub use address::{Address, InvalidAddress};
pub use client::{Client, Credentials, Report};
pub use database::Database;
pub use error::HashservError;
pub use server::{Server, ServerHandle, ServerOptions};
pub use users::{Permissions, UnknownPermission};
