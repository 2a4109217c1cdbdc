//! What goes on outside of a sandbox while its task runs.

use rustix::event::{PollFd, PollFlags};
use std::os::fd::BorrowedFd;

/// Looks after something while a task runs, since the process that runs tasks
/// sleeps meanwhile. It is called in the sandbox's first process, which shares
/// memory and open files with that one but is isolated as the task is: it may
/// use what is open already.
pub trait Attendant {
    /// What to look at, and for which events.
    fn awaits(&self) -> Vec<PollFd<'_>>;

    /// Called when something of it is ready, with the events in the same order.
    /// False ends the task.
    fn attend(&mut self, ready: &[PollFlags]) -> bool;
}

/// Nothing to look after.
impl Attendant for () {
    fn awaits(&self) -> Vec<PollFd<'_>> {
        Vec::new()
    }

    fn attend(&mut self, _: &[PollFlags]) -> bool {
        true
    }
}

/// Ends the task when whoever wants it closes the other end, or sends anything.
pub(crate) struct Caller<'a>(pub BorrowedFd<'a>);

impl Attendant for Caller<'_> {
    fn awaits(&self) -> Vec<PollFd<'_>> {
        vec![PollFd::from_borrowed_fd(self.0, PollFlags::IN)]
    }

    fn attend(&mut self, ready: &[PollFlags]) -> bool {
        ready.iter().all(|events| events.is_empty())
    }
}
