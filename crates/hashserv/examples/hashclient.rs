//! `hashclient ADDRESS [USER TOKEN]`: tries this crate's client against a server
//! of another program, whose database it fills with a few made-up tasks.

use bitzel_hashserv::{Client, Credentials, Report};
use serde_json::json;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (address, credentials) = match words.as_slice() {
        [address] => (address, None),
        [address, user, token] => {
            (address, Some(Credentials { username: (*user).to_owned(), token: (*token).to_owned() }))
        }
        _ => return Err("usage: hashclient ADDRESS [USER TOKEN]".into()),
    };
    let hash = |c: char| c.to_string().repeat(64);
    let mut client = Client::connect_as(&address.parse()?, credentials)?;
    println!("ping: {}", client.command("ping", &json!({}))?);
    let mut report = Report {
        method: "try".to_owned(),
        taskhash: hash('a'),
        outhash: hash('b'),
        unihash: hash('c'),
        extra: vec![("outhash_siginfo".to_owned(), "long ".repeat(20_000))],
    };
    println!("first report: {}", &client.report(&report)?[..4]);
    report.taskhash = hash('d');
    report.unihash = hash('e');
    println!("same output: {}", &client.report(&report)?[..4]);
    let (known, unknown) = (hash('d'), hash('0'));
    let questions: Vec<(&str, &str)> =
        (0..1000).map(|n| ("try", if n % 2 == 0 { &*known } else { &*unknown })).collect();
    let answers = client.unihashes(&questions)?;
    println!("known: {} of {}", answers.iter().flatten().count(), answers.len());
    println!("exists: {} {}", client.unihash_exists(&hash('c'))?, client.unihash_exists(&hash('d'))?);
    println!("removed: {}", client.command("remove", &json!({ "where": { "method": "try" } }))?);
    Ok(())
}
