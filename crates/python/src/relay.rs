//! The way of events from a task's processes to the channel of whoever ordered it.

use bitzel_recipe::protocol::{HostEvent, Reply, write_frame};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, recv};
use std::collections::HashMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// More than a task's processes put into one datagram.
const DATAGRAM: usize = 1 << 14;

/// Each datagram is the sender's process id, whether it is the last piece of an event, and a
/// piece; an event is the name of its class, a line end and its JSON.
pub(crate) struct Relay<'s> {
    events: OwnedFd,
    stream: &'s UnixStream,
    buffer: Vec<u8>,
    parts: HashMap<[u8; 4], Vec<u8>>,
}

impl<'s> Relay<'s> {
    pub(crate) fn new(events: OwnedFd, stream: &'s UnixStream) -> Relay<'s> {
        Relay { events, stream, buffer: vec![0; DATAGRAM], parts: HashMap::new() }
    }

    /// The channel.
    pub(crate) fn stream(&self) -> &UnixStream {
        self.stream
    }

    /// Passes events on until `end` is readable; false if nobody listens any more.
    pub(crate) fn until_ended(&mut self, end: BorrowedFd<'_>) -> io::Result<bool> {
        loop {
            let mut waiting = [
                PollFd::from_borrowed_fd(end, PollFlags::IN),
                PollFd::new(&self.events, PollFlags::IN),
                PollFd::new(self.stream, PollFlags::RDHUP),
            ];
            match poll(&mut waiting, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let [ended, told, left] = waiting.map(|fd| !fd.revents().is_empty());
            if (told || ended) && self.pass_on().is_err() || left {
                return Ok(false);
            }
            if ended {
                return Ok(true);
            }
        }
    }

    /// Passes on what has arrived.
    pub(crate) fn pass_on(&mut self) -> io::Result<()> {
        loop {
            let length = match recv(&self.events, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(rustix::io::Errno::INTR) => continue,
                other => other?.0,
            };
            // An empty one says that all senders are gone.
            let Some((&[a, b, c, d, last], piece)) = self.buffer[..length].split_first_chunk() else {
                return Ok(());
            };
            let whole = self.parts.entry([a, b, c, d]).or_default();
            whole.extend_from_slice(piece);
            if last == 1 {
                let event = std::mem::take(whole);
                let text = String::from_utf8_lossy(&event);
                if let Some((class, fields)) = text.split_once('\n') {
                    self.send(class.to_owned(), fields.to_owned())?;
                }
            }
        }
    }

    /// Sends an event of bitzel's own that is a message.
    pub(crate) fn tell(&mut self, class: &str, message: &str) -> io::Result<()> {
        self.send(class.to_owned(), serde_json::json!({ "message": message }).to_string())
    }

    /// Sends an event; `fields` is JSON.
    pub(crate) fn send(&mut self, class: String, fields: String) -> io::Result<()> {
        write_frame(&mut self.stream, &Reply::Event(HostEvent { class, fields }))
    }
}
