//! The client.

use crate::address::Address;
use crate::error::HashservError;
use crate::wire::{Carrier, GREETING, Lines};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_platform_verifier::ConfigVerifierExt;
use serde_json::{Map, Value, json};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// Name and token of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name.
    pub username: String,
    /// Secret.
    pub token: String,
}

/// What a task made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// SSTATE_HASHEQUIV_METHOD.
    pub method: String,
    /// Task hash.
    pub taskhash: String,
    /// Hash of the output.
    pub outhash: String,
    /// The unihash the task has so far.
    pub unihash: String,
    /// `owner`, `PN`, `PV`, `PR`, `task`, `outhash_siginfo`.
    pub extra: Vec<(String, String)>,
}

type Result<T> = std::result::Result<T, HashservError>;

/// How long to wait for a server that does not answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Questions sent before the first answer is read; both sides' buffers hold them.
const IN_FLIGHT: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Normal,
    Unihashes,
    Exists,
}

/// A connection to a server. It reconnects once where the server has closed the
/// connection between two requests.
pub struct Client {
    address: Address,
    credentials: Option<Credentials>,
    lines: Option<Lines>,
    mode: Mode,
}

impl Client {
    /// Connects to a server.
    ///
    /// # Errors
    /// [`HashservError::Connect`].
    pub fn connect(address: &Address) -> Result<Client> {
        Client::connect_as(address, None)
    }

    /// Connects and says who it is.
    ///
    /// # Errors
    /// [`HashservError::Connect`], [`HashservError::Refused`].
    pub fn connect_as(address: &Address, credentials: Option<Credentials>) -> Result<Client> {
        let mut client = Client { address: address.clone(), credentials, lines: None, mode: Mode::Normal };
        client.reconnect()?;
        Ok(client)
    }

    fn reconnect(&mut self) -> Result<()> {
        self.mode = Mode::Normal;
        let mut lines = open(&self.address)?;
        lines.send(&[GREETING, "needs-headers: false", ""])?;
        if let Some(c) = &self.credentials {
            let message = json!({ "auth": { "username": c.username, "token": c.token } });
            ask(&mut lines, &message)?;
        }
        self.lines = Some(lines);
        Ok(())
    }

    /// Runs a request on the connection; on a broken one once more on a new one.
    fn with<T>(&mut self, mode: Mode, request: impl Fn(&mut Lines) -> Result<T>) -> Result<T> {
        let had_connection = self.lines.is_some();
        match self.once(mode, &request) {
            Err(HashservError::Closed | HashservError::Io(_)) if had_connection => {
                self.lines = None;
                self.once(mode, &request)
            }
            Err(error) => {
                // A refusal ends the connection, and a broken protocol should.
                self.lines = None;
                Err(error)
            }
            done => done,
        }
    }

    fn once<T>(&mut self, mode: Mode, request: &impl Fn(&mut Lines) -> Result<T>) -> Result<T> {
        if self.lines.is_none() {
            self.reconnect()?;
        }
        let lines = self.lines.as_mut().ok_or(HashservError::Closed)?;
        if self.mode != mode && self.mode != Mode::Normal {
            lines.send(&["END"])?;
            expect_ok(lines)?;
            self.mode = Mode::Normal;
        }
        if self.mode != mode {
            let command = if mode == Mode::Unihashes { "get-stream" } else { "exists-stream" };
            lines.send_message(&json!({ command: null }))?;
            expect_ok(lines)?;
            self.mode = mode;
        }
        request(lines)
    }

    /// Sends a command and reads its answer: the whole protocol, for what has no
    /// method of its own.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn command(&mut self, name: &str, argument: &Value) -> Result<Value> {
        let message = json!({ name: argument });
        self.with(Mode::Normal, |lines| ask(lines, &message))
    }

    /// The unihash of a task, `None` where none is known.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn unihash(&mut self, method: &str, taskhash: &str) -> Result<Option<String>> {
        let mut answers = self.unihashes(&[(method, taskhash)])?;
        Ok(answers.pop().flatten())
    }

    /// The unihashes of tasks `(method, taskhash)`, many at a time.
    ///
    /// # Errors
    /// [`HashservError`]; [`HashservError::Protocol`] for an answer that is no hash.
    pub fn unihashes(&mut self, tasks: &[(&str, &str)]) -> Result<Vec<Option<String>>> {
        let questions: Vec<String> =
            tasks.iter().map(|(method, taskhash)| format!("{method} {taskhash}")).collect();
        let answers = self.stream(Mode::Unihashes, &questions)?;
        answers
            .into_iter()
            .map(|answer| match answer {
                answer if answer.is_empty() => Ok(None),
                answer if is_hash(&answer) => Ok(Some(answer)),
                answer => Err(HashservError::Protocol(format!("unihash `{answer}`"))),
            })
            .collect()
    }

    /// Whether any task has a unihash.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn unihash_exists(&mut self, unihash: &str) -> Result<bool> {
        let answers = self.stream(Mode::Exists, &[unihash.to_owned()])?;
        Ok(answers.first().is_some_and(|answer| answer == "true"))
    }

    fn stream(&mut self, mode: Mode, questions: &[String]) -> Result<Vec<String>> {
        let mut answers = Vec::with_capacity(questions.len());
        for batch in questions.chunks(IN_FLIGHT) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            answers.extend(self.with(mode, |lines| {
                lines.send(&batch)?;
                batch.iter().map(|_| stream_answer(lines)).collect::<Result<Vec<String>>>()
            })?);
        }
        Ok(answers)
    }

    /// The oldest report of a task with its unihash.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn task(&mut self, method: &str, taskhash: &str) -> Result<Option<Value>> {
        let argument = json!({ "taskhash": taskhash, "method": method, "all": true });
        Ok(Some(self.command("get", &argument)?).filter(|answer| !answer.is_null()))
    }

    /// The oldest report of an output.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn outhash(
        &mut self,
        method: &str,
        outhash: &str,
        taskhash: &str,
        with_unihash: bool,
    ) -> Result<Option<Value>> {
        let argument = json!({ "outhash": outhash, "taskhash": taskhash, "method": method, "with_unihash": with_unihash });
        Ok(Some(self.command("get-outhash", &argument)?).filter(|answer| !answer.is_null()))
    }

    /// Reports an output; the answer is the unihash to use from now on.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn report(&mut self, report: &Report) -> Result<String> {
        let mut argument = Map::new();
        argument.extend(report.extra.iter().map(|(name, value)| (name.clone(), json!(value))));
        let fields = [
            ("taskhash", &report.taskhash),
            ("method", &report.method),
            ("outhash", &report.outhash),
            ("unihash", &report.unihash),
        ];
        argument.extend(fields.map(|(name, value)| (name.to_owned(), json!(value))));
        let answer = self.command("report", &Value::Object(argument))?;
        unihash_of(&answer)
    }

    /// Says that a task has the same output as those of `unihash`; the answer is
    /// the unihash it has then.
    ///
    /// # Errors
    /// [`HashservError`].
    pub fn report_equivalent(&mut self, method: &str, taskhash: &str, unihash: &str) -> Result<String> {
        let argument = json!({ "taskhash": taskhash, "method": method, "unihash": unihash });
        unihash_of(&self.command("report-equiv", &argument)?)
    }
}

fn unihash_of(answer: &Value) -> Result<String> {
    match answer.get("unihash").and_then(Value::as_str) {
        Some(unihash) if is_hash(unihash) => Ok(unihash.to_owned()),
        _ => Err(HashservError::Protocol(format!("report answered with {answer}"))),
    }
}

/// What a server answers ends up in file names and scripts, so nothing but
/// a hash is taken.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn ask(lines: &mut Lines, message: &Value) -> Result<Value> {
    lines.send_message(message)?;
    let answer = lines.receive_message()?.ok_or(HashservError::Closed)?;
    refusal(&answer).map_or(Ok(answer), Err)
}

fn refusal(answer: &Value) -> Option<HashservError> {
    let message = answer.get("invoke-error")?.get("message")?.as_str()?;
    Some(HashservError::Refused(message.to_owned()))
}

fn stream_answer(lines: &mut Lines) -> Result<String> {
    let answer = lines.receive()?.ok_or(HashservError::Closed)?;
    match serde_json::from_str::<Value>(&answer) {
        Ok(value) => refusal(&value).map_or(Ok(answer), Err),
        Err(_) => Ok(answer),
    }
}

fn expect_ok(lines: &mut Lines) -> Result<()> {
    match stream_answer(lines)?.trim_matches('"') {
        "ok" => Ok(()),
        other => Err(HashservError::Protocol(format!("`{other}` instead of ok"))),
    }
}

fn open(address: &Address) -> Result<Lines> {
    let failed = |source| HashservError::Connect { address: address.clone(), source };
    let tcp = |host: &str, port: u16| {
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for place in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&place, TIMEOUT) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(TIMEOUT))?;
                    stream.set_write_timeout(Some(TIMEOUT))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    match address {
        Address::Tcp { host, port } => {
            let stream = tcp(host, *port).map_err(failed)?;
            Ok(Lines::stream(Box::new(stream.try_clone().map_err(failed)?), Box::new(stream)))
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path).map_err(failed)?;
            stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
            stream.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
            Ok(Lines::stream(Box::new(stream.try_clone().map_err(failed)?), Box::new(stream)))
        }
        Address::WebSocket { secure, host, port, .. } => {
            let stream = tcp(host, *port).map_err(failed)?;
            let stream: Box<dyn Carrier> = match secure {
                true => Box::new(tls(host, stream).map_err(failed)?),
                false => Box::new(stream),
            };
            let (socket, _) = tungstenite::client(address.to_string(), stream)
                .map_err(|error| HashservError::Protocol(error.to_string()))?;
            Ok(Lines::WebSocket(Box::new(socket)))
        }
    }
}

/// TLS to `host`, whose certificate the system has to trust.
fn tls(host: &str, stream: TcpStream) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let config = ClientConfig::with_platform_verifier().map_err(std::io::Error::other)?;
    let name = host.to_owned().try_into().map_err(std::io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}
