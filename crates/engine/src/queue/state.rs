//! The states of a task, and which may follow which.

/// Where a task stands. A task that can be restored begins as a setscene task; if that
/// comes to nothing it goes on as [`State::Needed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Whether it has to be made is not known: tasks that use it may turn out restored.
    Undecided,
    /// Its setscene task may start.
    SceneReady,
    /// Its setscene task runs.
    SceneRunning,
    /// It is restored, or nothing that has to be made uses it. It counts as done once
    /// the same holds for what it depends on.
    Covered,
    /// It has to be there; it waits for its dependencies.
    Needed,
    /// It may start.
    Ready,
    /// It runs.
    Running,
    /// It is done, by running or without.
    Done,
    /// It failed; what depends on it cannot start.
    Failed,
}

impl State {
    /// Whether `next` may follow.
    pub fn allows(self, next: State) -> bool {
        use State::{Covered, Done, Failed, Needed, Ready, Running, SceneReady, SceneRunning, Undecided};
        match self {
            Undecided => matches!(next, SceneReady | Covered | Needed),
            SceneReady => matches!(next, SceneRunning | Needed),
            SceneRunning => matches!(next, Covered | Needed | Failed),
            Covered => next == Done,
            Needed => matches!(next, Ready | Done),
            Ready => matches!(next, Running | Failed),
            // One that is ended before it was done has to be made still.
            Running => matches!(next, Done | Failed | Needed),
            Done | Failed => false,
        }
    }

    /// Whether it is known if the task has to be made.
    pub fn is_decided(self) -> bool {
        !matches!(self, State::Undecided | State::SceneReady | State::SceneRunning)
    }
}
