//! How many tasks there are and what became of them.

/// Counts as BitBake's messages show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Tasks of the graph.
    pub total: usize,
    /// Done, skipped ones among them.
    pub completed: usize,
    /// Done without running: restored, covered, or with a current stamp.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Real tasks that run.
    pub active: usize,
    /// Tasks that can be restored.
    pub scene_total: usize,
    /// Setscene tasks that run.
    pub scene_active: usize,
    /// Restored, or found not to be needed.
    pub scene_covered: usize,
    /// Not restored: the real task counts.
    pub scene_not_covered: usize,
}

impl Numbers {
    /// All that run.
    pub fn running(&self) -> usize {
        self.active + self.scene_active
    }
}
