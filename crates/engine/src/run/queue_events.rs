//! Events of the run queue for handlers of the metadata: what happens to each task. Classes
//! that no handler wants are not fired.

use crate::Result;
use crate::queue::{Job, Numbers, Skip, TaskTable};
use crate::run::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `bb.runqueue`'s classes.
const CLASSES: [&str; 10] = [
    "runQueueTaskStarted",
    "runQueueTaskCompleted",
    "runQueueTaskFailed",
    "runQueueTaskSkipped",
    "runQueueExitWait",
    "sceneQueueTaskStarted",
    "sceneQueueTaskCompleted",
    "sceneQueueTaskFailed",
    "sceneQueueComplete",
    "PSIEvent",
];

/// Fires them.
pub(crate) struct QueueEvents {
    wanted: BTreeSet<String>,
}

impl QueueEvents {
    /// Asks which classes have handlers.
    pub(crate) fn new(server: &mut Server<'_>) -> Result<QueueEvents> {
        let names = CLASSES.iter().map(|class| format!("bb.runqueue.{class}")).collect();
        let answer = server.call("handled", names)?;
        Ok(QueueEvents { wanted: answer.split_whitespace().map(str::to_owned).collect() })
    }

    /// A job starts; `numbers` count it among the running.
    pub(crate) fn started(
        &self,
        server: &mut Server<'_>,
        table: &TaskTable<'_>,
        job: Job,
        mut numbers: Numbers,
    ) -> Result<()> {
        // BitBake: the counts are those before it.
        let running = if job.setscene { &mut numbers.scene_active } else { &mut numbers.active };
        *running = running.saturating_sub(1);
        let class = if job.setscene { "sceneQueueTaskStarted" } else { "runQueueTaskStarted" };
        let noexec = table.is_noexec(job.task);
        self.fire(server, class, || json!([table.tid(job.task), stats(numbers), queue(table, job), noexec]))
    }

    /// A job is over.
    pub(crate) fn ended(
        &self,
        server: &mut Server<'_>,
        table: &TaskTable<'_>,
        job: Job,
        numbers: Numbers,
        failure: Option<&str>,
    ) -> Result<()> {
        let class = match (job.setscene, failure) {
            (false, None) => "runQueueTaskCompleted",
            (true, None) => "sceneQueueTaskCompleted",
            (false, Some(_)) => "runQueueTaskFailed",
            (true, Some(_)) => "sceneQueueTaskFailed",
        };
        self.fire(server, class, || {
            let mut arguments = vec![json!(table.tid(job.task)), stats(numbers)];
            arguments.extend(failure.map(code_of));
            arguments.push(queue(table, job));
            Value::Array(arguments)
        })
    }

    /// A task does not have to run.
    pub(crate) fn skipped(
        &self,
        server: &mut Server<'_>,
        table: &TaskTable<'_>,
        job: Job,
        numbers: Numbers,
        skip: Skip,
    ) -> Result<()> {
        let reason = match skip {
            Skip::Covered => "covered",
            Skip::Existing => "existing",
        };
        self.fire(server, "runQueueTaskSkipped", || {
            json!([table.tid(job.task), stats(numbers), queue(table, job), reason])
        })
    }

    /// Nothing is left to restore.
    pub(crate) fn scene_complete(&self, server: &mut Server<'_>, numbers: Numbers) -> Result<()> {
        self.fire(server, "sceneQueueComplete", || json!([stats(numbers), {"queue": ""}]))
    }

    /// The queue waits for what still runs.
    pub(crate) fn waiting(&self, server: &mut Server<'_>, running: usize) -> Result<()> {
        self.fire(server, "runQueueExitWait", || json!([running]))
    }

    /// Pressure holds tasks back, or no longer does.
    pub(crate) fn pressure(&self, server: &mut Server<'_>, held: bool) -> Result<()> {
        self.fire(server, "PSIEvent", || json!([held, {}]))
    }

    fn fire(&self, server: &mut Server<'_>, class: &str, arguments: impl FnOnce() -> Value) -> Result<()> {
        let class = format!("bb.runqueue.{class}");
        if self.wanted.contains(&class) { server.fire("", &class, &arguments()) } else { Ok(()) }
    }
}

fn code_of(code: &str) -> Value {
    code.parse::<i64>().map_or_else(|_| json!(code), |number| json!(number))
}

fn queue(table: &TaskTable<'_>, job: Job) -> Value {
    json!({"queue": table.task_hash(job.task)})
}

fn stats(numbers: Numbers) -> Value {
    json!({"stats": {
        "completed": numbers.completed,
        "skipped": numbers.skipped,
        "failed": numbers.failed,
        "active": numbers.active,
        "setscene_active": numbers.scene_active,
        "setscene_covered": numbers.scene_covered,
        "setscene_notcovered": numbers.scene_not_covered,
        "setscene_total": numbers.scene_total,
        "total": numbers.total,
    }})
}
