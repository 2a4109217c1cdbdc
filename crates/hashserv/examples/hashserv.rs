//! `hashserv ADDRESS DATABASE [ADMIN PASSWORD]`: serves until it is ended; lets
//! another program's client be tried against this server.

use bitzel_hashserv::{Database, Permissions, Server, ServerOptions};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (address, database, admin) = match words.as_slice() {
        [address, database] => (address, database, None),
        [address, database, name, password] => {
            (address, database, Some(((*name).to_owned(), (*password).to_owned())))
        }
        _ => return Err("usage: hashserv ADDRESS DATABASE [ADMIN PASSWORD]".into()),
    };
    let options = ServerOptions {
        anonymous: Permissions::default_anonymous(),
        admin,
        complain: Box::new(|message| eprintln!("{message}")),
        ..ServerOptions::default()
    };
    let server = Server::bind(&address.parse()?, Database::open(Path::new(database), false)?, options)?;
    println!("{}", server.address());
    server.serve();
    Ok(())
}
