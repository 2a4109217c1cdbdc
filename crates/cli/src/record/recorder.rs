//! Keeps what happens during a build.

use crate::record::critical_path::critical_path;
use crate::record::{BuildRecord, TaskFate, TaskRecord};
use bitzel_engine::{BuildEvent, Job, Observer, Outcome};
use bitzel_recipe::protocol::TaskEnd;
use bitzel_taskgraph::TaskGraph;
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::time::Instant;

/// Keeps what another observer is told.
pub struct Recorder<'v> {
    next: &'v mut dyn Observer,
    begin: Instant,
    tasks: Vec<TaskRecord>,
    jobs: Vec<Job>,
    running: FxHashMap<Job, usize>,
    /// Who has which lane.
    lanes: Vec<Option<Job>>,
}

impl<'v> Recorder<'v> {
    /// Passes everything on to `next`.
    pub fn new(next: &'v mut dyn Observer) -> Recorder<'v> {
        Recorder {
            next,
            begin: Instant::now(),
            tasks: Vec::new(),
            jobs: Vec::new(),
            running: FxHashMap::default(),
            lanes: Vec::new(),
        }
    }

    /// The record, once the build is over.
    pub fn finish(self, name: &str, targets: &[String], graph: &TaskGraph, outcome: &Outcome) -> BuildRecord {
        let mut cost = FxHashMap::default();
        let mut of_task = FxHashMap::default();
        for (n, (job, task)) in self.jobs.iter().zip(&self.tasks).enumerate() {
            *cost.entry(job.task).or_insert(0) += task.elapsed_ms;
            of_task.insert(job.task, n);
        }
        let critical_path = critical_path(graph, &cost).iter().map(|task| of_task[task]).collect();
        BuildRecord {
            name: name.to_owned(),
            targets: targets.to_vec(),
            elapsed_ms: self.now(),
            skipped: outcome.numbers.skipped,
            tasks: self.tasks,
            critical_path,
        }
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_millis() as u64
    }

    fn started(&mut self, job: Job, id: &str, recipe: &str) {
        if self.tasks.is_empty() {
            self.begin = Instant::now();
        }
        let free = self.lanes.iter().position(Option::is_none);
        let lane = free.unwrap_or_else(|| {
            self.lanes.push(None);
            self.lanes.len() - 1
        });
        self.lanes[lane] = Some(job);
        self.running.insert(job, self.tasks.len());
        self.jobs.push(job);
        self.tasks.push(TaskRecord {
            id: id.to_owned(),
            recipe: recipe.to_owned(),
            task: id.rsplit(':').next().unwrap_or_default().to_owned(),
            start_ms: self.now(),
            elapsed_ms: 0,
            cpu_ms: 0,
            max_rss_kib: 0,
            fate: TaskFate::Unfinished,
            lane,
            log: None,
        });
    }

    fn ended(&mut self, job: Job, fate: TaskFate, end: Option<&TaskEnd>) {
        let Some(n) = self.running.remove(&job) else { return };
        let now = self.now();
        let task = &mut self.tasks[n];
        task.elapsed_ms = now.saturating_sub(task.start_ms);
        task.fate = fate;
        if let Some(end) = end {
            task.cpu_ms = end.cpu_us / 1000;
            task.max_rss_kib = end.max_rss_kib;
        }
        self.lanes[task.lane] = None;
    }
}

impl Observer for Recorder<'_> {
    fn event(&mut self, event: &BuildEvent<'_>) {
        match event {
            BuildEvent::Started { job, tid, pn, .. } => self.started(*job, tid, pn),
            BuildEvent::Succeeded { job, end, .. } => self.ended(*job, TaskFate::Succeeded, Some(end)),
            BuildEvent::Failed { job, .. } => self.ended(*job, TaskFate::Failed, None),
            BuildEvent::Host { job: Some(job), event } if event.class == "bb.build.TaskStarted" => {
                let fields: Value = serde_json::from_str(&event.fields).unwrap_or_default();
                if let (Some(&n), Some(log)) = (self.running.get(job), fields["logfile"].as_str()) {
                    self.tasks[n].log = Some(log.to_owned());
                }
            }
            _ => {}
        }
        self.next.event(event);
    }
}
