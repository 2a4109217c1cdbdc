//! The way of events from a task's processes to the channel of whoever ordered it.

use bitzel_exec::Attendant;
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
    heard: bool,
}

/// Tasks in sandboxes: one that loses its listener is ended.
impl Attendant for Relay<'_> {
    fn awaits(&self) -> Vec<PollFd<'_>> {
        vec![PollFd::new(&self.events, PollFlags::IN), PollFd::new(self.stream, PollFlags::RDHUP)]
    }

    fn attend(&mut self, ready: &[PollFlags]) -> bool {
        let is_told = ready.first().is_some_and(|events| !events.is_empty());
        let has_left = ready.get(1).is_some_and(|events| !events.is_empty());
        self.heard &= !(is_told && self.pass_on().is_err() || has_left);
        self.heard
    }
}

impl<'s> Relay<'s> {
    pub(crate) fn new(events: OwnedFd, stream: &'s UnixStream) -> Relay<'s> {
        Relay { events, stream, buffer: vec![0; DATAGRAM], parts: HashMap::new(), heard: true }
    }

    /// The channel.
    pub(crate) fn stream(&self) -> &UnixStream {
        self.stream
    }

    /// Whether somebody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.heard
    }

    /// Passes events on until `end` is readable, or nobody listens any more.
    pub(crate) fn until_ended(&mut self, end: BorrowedFd<'_>) -> io::Result<()> {
        loop {
            let mut waiting = self.awaits();
            waiting.push(PollFd::from_borrowed_fd(end, PollFlags::IN));
            match poll(&mut waiting, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            let mut ready: Vec<PollFlags> = waiting.iter().map(PollFd::revents).collect();
            drop(waiting);
            let is_over = ready.pop().is_some_and(|events| !events.is_empty());
            if is_over {
                // What was said last may not have been there yet.
                ready[0] = PollFlags::IN;
            }
            if !self.attend(&ready) || is_over {
                return Ok(());
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
