//! One client's connection, as the server sees it.

use crate::client::Client;
use crate::database::Database;
use crate::error::HashservError;
use crate::server::Shared;
use crate::users::Permissions;
use crate::wire::{Lines, parse};
use serde_json::{Map, Value, json};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

/// Lines and messages of a client whose greeting has been read.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    lines: Lines,
    pub(crate) user: Option<(String, Permissions)>,
    upstream: Option<Client>,
}

/// Why a request gets no answer.
pub(crate) enum Denied {
    /// Told to the client, which is then disconnected.
    Refused(String),
    /// The connection or the database is broken.
    Broken(HashservError),
}

impl<E: Into<HashservError>> From<E> for Denied {
    fn from(error: E) -> Denied {
        Denied::Broken(error.into())
    }
}

impl Session {
    /// Talks to a client until it leaves.
    pub(crate) fn run(shared: Arc<Shared>, mut lines: Lines) -> Result<(), HashservError> {
        if !greet(&mut lines)? {
            return Ok(());
        }
        let mut session = Session { shared, lines, user: None, upstream: None };
        while let Some(message) = session.lines.receive_message()? {
            let start = Instant::now();
            let answer = session.request(&message);
            session.shared.stats().add(start.elapsed().as_secs_f64());
            match answer {
                Ok(Some(answer)) => session.lines.send_message(&answer)?,
                Ok(None) => {}
                Err(Denied::Refused(message)) => {
                    return session.lines.send_message(&json!({ "invoke-error": { "message": message } }));
                }
                Err(Denied::Broken(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn request(&mut self, message: &Value) -> Result<Option<Value>, Denied> {
        let object = message.as_object().filter(|object| object.len() == 1);
        let Some((command, argument)) = object.and_then(|object| object.iter().next()) else {
            return Err(HashservError::Protocol("a request is an object with one command".to_owned()).into());
        };
        match command.as_str() {
            "get-stream" => {
                self.need("@read")?;
                self.stream(|session, line| session.stream_unihash(line))
            }
            "exists-stream" => {
                self.need("@read")?;
                self.stream(|session, line| {
                    let here = session.database().unihash_exists(line)?;
                    let known = here || session.ask_upstream(|up| up.unihash_exists(line))?.unwrap_or(false);
                    Ok(known.to_string())
                })
            }
            "gc-mark-stream" => self.gc_mark_stream(),
            _ => {
                let nothing = Map::new();
                self.dispatch(command, argument.as_object().unwrap_or(&nothing)).map(Some)
            }
        }
    }

    pub(crate) fn database(&self) -> MutexGuard<'_, Database> {
        self.shared.database()
    }

    pub(crate) fn may(&self, permission: &str) -> bool {
        match &self.user {
            Some((_, permissions)) => permissions.has(permission),
            None => self.shared.options.anonymous.has(permission),
        }
    }

    pub(crate) fn need(&self, permission: &str) -> Result<(), Denied> {
        if self.may(permission) {
            return Ok(());
        }
        let who = self.user.as_ref().map_or("Anonymous user".to_owned(), |(name, _)| format!("User {name}"));
        Err(Denied::Refused(format!("{who} is not allowed to access permissions(s) {permission}")))
    }

    /// Asks the upstream server, if there is one. One that fails is asked no more
    /// in this session.
    pub(crate) fn ask_upstream<T>(
        &mut self,
        ask: impl FnOnce(&mut Client) -> Result<T, HashservError>,
    ) -> Result<Option<T>, Denied> {
        let Some(address) = self.shared.options.upstream.clone() else { return Ok(None) };
        if self.upstream.is_none() {
            match Client::connect(&address) {
                Ok(client) => self.upstream = Some(client),
                Err(error) => {
                    self.shared.complain(&error);
                    return Ok(None);
                }
            }
        }
        let client = self.upstream.as_mut().expect("connected above");
        match ask(client) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                self.shared.complain(&error);
                self.upstream = None;
                Ok(None)
            }
        }
    }

    /// Answers lines until `END`.
    fn stream(
        &mut self,
        answer: impl Fn(&mut Session, &str) -> Result<String, Denied>,
    ) -> Result<Option<Value>, Denied> {
        self.lines.send(&["\"ok\""])?;
        while let Some(line) = self.lines.receive()? {
            if line == "END" {
                self.lines.send(&["ok"])?;
                return Ok(None);
            }
            let start = Instant::now();
            let text = answer(self, line.trim())?;
            self.shared.stats().add(start.elapsed().as_secs_f64());
            self.lines.send(&[&text])?;
        }
        Err(HashservError::Closed.into())
    }

    fn stream_unihash(&mut self, line: &str) -> Result<String, Denied> {
        let Some((method, taskhash)) = line.split_once(' ') else {
            return Err(
                HashservError::Protocol(format!("`{line}` is not of the form METHOD TASKHASH")).into()
            );
        };
        Ok(self.unihash(method, taskhash)?.unwrap_or_default())
    }

    /// The unihash of a task, from here or from upstream, kept here then.
    pub(crate) fn unihash(&mut self, method: &str, taskhash: &str) -> Result<Option<String>, Denied> {
        if let Some(known) = self.database().unihash(method, taskhash)? {
            return Ok(Some(known));
        }
        let found = self.ask_upstream(|up| up.unihash(method, taskhash))?.flatten();
        if let Some(unihash) = &found
            && !self.shared.options.read_only
        {
            self.database().insert_unihash(method, taskhash, unihash)?;
        }
        Ok(found)
    }

    /// Lines `{"mark": …, "where": …}`, each answered with a count.
    fn gc_mark_stream(&mut self) -> Result<Option<Value>, Denied> {
        self.need("@db-admin")?;
        self.stream(|session, line| {
            let request = parse(line)?;
            let nothing = Map::new();
            let answer = session.dispatch("gc-mark", request.as_object().unwrap_or(&nothing))?;
            Ok(answer.to_string())
        })
    }
}

/// Reads the greeting and the headers. `false` if the client left at once.
fn greet(lines: &mut Lines) -> Result<bool, HashservError> {
    let Some(greeting) = lines.receive()? else { return Ok(false) };
    let version = greeting.strip_prefix("OEHASHEQUIV ").and_then(|version| version.trim().split_once('.'));
    let known = version.is_some_and(|(major, minor)| major == "1" && matches!(minor, "0" | "1"));
    if !known {
        return Err(HashservError::Protocol(format!("greeting `{greeting}`")));
    }
    let mut wants_headers = false;
    loop {
        match lines.receive()? {
            None => return Ok(false),
            Some(line) if line.is_empty() => break,
            Some(line) => {
                let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                wants_headers |= name.trim() == "needs-headers" && value.trim() == "true";
            }
        }
    }
    if wants_headers {
        lines.send(&[""])?;
    }
    Ok(true)
}
