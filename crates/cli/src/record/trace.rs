//! A build as a trace that `chrome://tracing` and Perfetto show (Trace Event Format).

use crate::record::{BuildRecord, TaskFate};
use serde_json::{Value, json};

/// The trace.
pub fn chrome(record: &BuildRecord) -> Value {
    let lanes = record.tasks.iter().map(|task| task.lane + 1).max().unwrap_or(0);
    let names = (0..lanes).map(|lane| {
        json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": lane,
               "args": {"name": format!("tasks {}", lane + 1)}})
    });
    let critical: std::collections::BTreeSet<usize> = record.critical_path.iter().copied().collect();
    let tasks = record.tasks.iter().enumerate().map(|(n, task)| {
        let mut event = json!({
            "ph": "X", "pid": 1, "tid": task.lane,
            "name": format!("{}:{}", task.recipe, task.task),
            "cat": if task.task.ends_with("_setscene") { "setscene" } else { "task" },
            "ts": task.start_ms * 1000, "dur": task.elapsed_ms * 1000,
            "args": {
                "id": task.id, "cpu_ms": task.cpu_ms, "max_rss_kib": task.max_rss_kib, "result": task.fate,
                "log": task.log, "critical": critical.contains(&n),
            },
        });
        if task.fate == TaskFate::Failed {
            event["cname"] = json!("terrible");
        }
        event
    });
    json!({
        "displayTimeUnit": "ms",
        "otherData": {"build": record.name, "targets": record.targets, "critical_path_ms": record.critical_ms()},
        "traceEvents": names.chain(tasks).collect::<Vec<Value>>(),
    })
}
