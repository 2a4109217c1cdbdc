//! Requests to stop, from signals or from callers.

use crate::run::runners::Message;
use std::sync::mpsc::Sender;

/// Asks a running build to stop. The first time running tasks may finish, the second time
/// they are ended.
#[derive(Clone)]
pub struct Interrupt(Sender<Message>);

impl Interrupt {
    pub(crate) fn new(sender: Sender<Message>) -> Interrupt {
        Interrupt(sender)
    }

    /// Asks once. A build that is over does not mind.
    pub fn ask(&self) {
        drop(self.0.send(Message::Interrupt));
    }
}
