//! Lines and messages over whatever carries them.
//!
//! A message is one line of JSON. Where lines go over a byte stream, long
//! messages are cut: `{"chunk-stream": null}`, the pieces, an empty line. A
//! websocket carries each line as a text of its own, uncut.

use crate::error::HashservError;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use tungstenite::{Message, WebSocket};

/// Longer lines are sent in pieces.
pub(crate) const CHUNK: usize = 32 * 1024;
/// No honest message is longer.
const LONGEST: usize = 64 << 20;

/// The first line of a connection.
pub(crate) const GREETING: &str = "OEHASHEQUIV 1.1";

/// What a websocket runs over: TCP, or TLS on it.
pub(crate) trait Carrier: Read + Write + Send {}

impl<T: Read + Write + Send> Carrier for T {}

/// Carries lines both ways.
pub(crate) enum Lines {
    Stream { reader: BufReader<Box<dyn Read + Send>>, writer: Box<dyn Write + Send> },
    WebSocket(Box<WebSocket<Box<dyn Carrier>>>),
}

impl Lines {
    pub(crate) fn stream(reader: Box<dyn Read + Send>, writer: Box<dyn Write + Send>) -> Lines {
        Lines::Stream { reader: BufReader::new(reader), writer }
    }

    /// Sends lines in one go.
    pub(crate) fn send(&mut self, lines: &[&str]) -> Result<(), HashservError> {
        match self {
            Lines::Stream { writer, .. } => {
                let mut text = String::with_capacity(lines.iter().map(|l| l.len() + 1).sum());
                lines.iter().for_each(|line| {
                    text.push_str(line);
                    text.push('\n');
                });
                writer.write_all(text.as_bytes())?;
                Ok(writer.flush()?)
            }
            Lines::WebSocket(socket) => {
                for line in lines {
                    socket.write(Message::text(*line)).map_err(websocket)?;
                }
                socket.flush().map_err(websocket)
            }
        }
    }

    /// The next line, `None` at the end.
    pub(crate) fn receive(&mut self) -> Result<Option<String>, HashservError> {
        match self {
            Lines::Stream { reader, .. } => {
                let mut line = Vec::new();
                let limit = LONGEST as u64 + 1;
                reader.take(limit).read_until(b'\n', &mut line)?;
                if line.is_empty() {
                    return Ok(None);
                }
                if line.pop() != Some(b'\n') {
                    return Err(HashservError::Protocol("a line that is cut off or too long".to_owned()));
                }
                String::from_utf8(line)
                    .map(Some)
                    .map_err(|_| HashservError::Protocol("a line that is no UTF-8".to_owned()))
            }
            Lines::WebSocket(socket) => loop {
                match socket.read() {
                    Ok(Message::Text(text)) => {
                        return Ok(Some(text.as_str().trim_end_matches('\n').to_owned()));
                    }
                    Ok(Message::Close(_)) => return Ok(None),
                    Ok(Message::Binary(_)) => return Err(HashservError::Protocol("binary data".to_owned())),
                    Ok(_) => {}
                    Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                        return Ok(None);
                    }
                    Err(tungstenite::Error::Protocol(
                        tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
                    )) => return Ok(None),
                    Err(error) => return Err(websocket(error)),
                }
            },
        }
    }

    pub(crate) fn send_message(&mut self, message: &Value) -> Result<(), HashservError> {
        let text = message.to_string();
        if text.len() < CHUNK || matches!(self, Lines::WebSocket(_)) {
            return self.send(&[&text]);
        }
        let marker = json!({ "chunk-stream": null }).to_string();
        let mut lines = vec![marker.as_str()];
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut cut = rest.len().min(CHUNK - 1);
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
            let (piece, tail) = rest.split_at(cut);
            lines.push(piece);
            rest = tail;
        }
        lines.push("");
        self.send(&lines)
    }

    pub(crate) fn receive_message(&mut self) -> Result<Option<Value>, HashservError> {
        let Some(line) = self.receive()? else { return Ok(None) };
        let message = parse(&line)?;
        if message.get("chunk-stream").is_none() {
            return Ok(Some(message));
        }
        let mut text = String::new();
        loop {
            match self.receive()? {
                None => return Err(HashservError::Closed),
                Some(piece) if piece.is_empty() => return parse(&text).map(Some),
                Some(piece) if text.len() + piece.len() <= LONGEST => text.push_str(&piece),
                Some(_) => return Err(HashservError::Protocol("a message that is too long".to_owned())),
            }
        }
    }
}

/// The JSON of a line.
pub(crate) fn parse(line: &str) -> Result<Value, HashservError> {
    serde_json::from_str(line).map_err(|error| {
        let shown: String = line.chars().take(80).collect();
        HashservError::Protocol(format!("`{shown}`: {error}"))
    })
}

fn websocket(error: tungstenite::Error) -> HashservError {
    match error {
        tungstenite::Error::Io(error) => HashservError::Io(error),
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => HashservError::Closed,
        other => HashservError::Protocol(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn pair() -> (Lines, Lines) {
        let (a, b) = UnixStream::pair().unwrap();
        let lines = |s: UnixStream| Lines::stream(Box::new(s.try_clone().unwrap()), Box::new(s));
        (lines(a), lines(b))
    }

    #[test]
    fn long_messages_go_in_pieces() {
        let (mut a, mut b) = pair();
        let long = json!({ "x": "ä".repeat(100_000) });
        let sent = long.clone();
        let sender = std::thread::spawn(move || {
            a.send_message(&sent).unwrap();
            a.send_message(&json!("short")).unwrap();
        });
        assert_eq!(b.receive_message().unwrap(), Some(long));
        assert_eq!(b.receive_message().unwrap(), Some(json!("short")));
        sender.join().unwrap();
        assert_eq!(b.receive_message().unwrap(), None);
    }

    #[test]
    fn nonsense_is_an_error_not_a_panic() {
        let (mut a, mut b) = pair();
        a.send(&["{nonsense"]).unwrap();
        assert!(matches!(b.receive_message(), Err(HashservError::Protocol(_))));
        if let Lines::Stream { writer, .. } = &mut a {
            writer.write_all(b"\xff\n{\"cut").unwrap();
        }
        drop(a);
        assert!(matches!(b.receive(), Err(HashservError::Protocol(_))));
        assert!(matches!(b.receive(), Err(HashservError::Protocol(_))));
    }
}
