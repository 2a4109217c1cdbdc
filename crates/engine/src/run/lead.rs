//! A build that runs: what may start is started, what ended is booked, until nothing is left.

use crate::Result;
use crate::limits::DiskAction;
use crate::queue::{Ended, Job, RunQueue, Step, TaskTable};
use crate::run::build::{Build, Outcome, SPARE_CHANNELS, TaskFailure};
use crate::run::durations::DurationStore;
use crate::run::events::BuildEvent;
use crate::run::orders::Orders;
use crate::run::queue_events::QueueEvents;
use crate::run::runners::{Message, Runners, TaskResult, task_end};
use crate::run::server::Server;
use crate::run::settings::Settings;
use crate::run::stamp;
use bitzel_host::Host;
use bitzel_recipe::protocol::{HostEvent, Request, TaskEnd};
use bitzel_taskgraph::{TaskIx, UniHash, UniHashSource};
use rustc_hash::FxHashMap;
use serde_json::json;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// A build that runs.
pub(super) struct Run<'b, 'a, 'o> {
    pub(super) build: &'b Build<'a>,
    pub(super) queue: RunQueue<'b>,
    pub(super) server: Server<'o>,
    pub(super) events: QueueEvents,
    pub(super) fakeroot_host: Option<Host>,
    pub(super) runners: Runners,
    pub(super) orders: Orders<'b>,
    pub(super) settings: Settings,
    pub(super) durations: Option<DurationStore>,
    pub(super) started: FxHashMap<Job, Instant>,
    pub(super) outcome: Outcome,
    pub(super) pressure: String,
    /// Running tasks were told to end.
    pub(super) halted: bool,
    pub(super) scene_open: bool,
    /// What running tasks reported of their output.
    pub(super) new_unihashes: FxHashMap<TaskIx, UniHash>,
    pub(super) unihashes: &'o mut dyn UniHashSource,
}

impl Run<'_, '_, '_> {
    /// Leads the build to its end.
    pub(super) fn lead(&mut self) -> Result<Outcome> {
        let (setscene, disabled) = (self.queue.numbers().scene_total, self.build.options.queue.no_setscene);
        self.tell(&BuildEvent::Prepared { setscene, disabled });
        let mut next_tick = Instant::now() + Duration::from_secs(1);
        loop {
            let finished = self.start_ready()?;
            if finished {
                break;
            }
            match self.build.messages.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => {
                    next_tick = Instant::now() + Duration::from_secs(1);
                    self.watch_disks()?;
                    self.tell(&BuildEvent::Tick);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.tell_skips()?;
        self.fire_completed()?;
        if let Some(store) = &self.durations
            && let Err(error) = store.save()
        {
            let text = format!("how long tasks took cannot be remembered: {error}");
            self.tell(&BuildEvent::Message { level: 20, text: &text });
        }
        self.outcome.numbers = self.queue.numbers();
        Ok(std::mem::take(&mut self.outcome))
    }

    fn tell(&mut self, event: &BuildEvent<'_>) {
        self.server.observer.event(event);
    }

    /// Starts what may start. True once nothing is left.
    fn start_ready(&mut self) -> Result<bool> {
        loop {
            let running = self.queue.numbers().running();
            if running >= self.settings.threads || (running > 0 && self.is_under_pressure()?) {
                return Ok(false);
            }
            let step = self.queue.next(&mut self.server)?;
            self.tell_skips()?;
            match step {
                Step::Start(job) => self.start(job)?,
                Step::Stamp(job) => self.stamp(job)?,
                Step::Pretend(job) => {
                    self.announce(job)?;
                    self.end(job, Ok(TaskEnd::default()))?;
                }
                Step::Refused(task) => self.refused(task),
                Step::Wait => return Ok(false),
                Step::Finished => return Ok(true),
            }
        }
    }

    fn is_under_pressure(&mut self) -> Result<bool> {
        let reason = self.settings.pressure.exceeded().unwrap_or_default();
        if reason != self.pressure {
            self.tell(&BuildEvent::Pressure { reason: &reason });
            self.events.pressure(&mut self.server, !reason.is_empty())?;
            self.pressure = reason;
        }
        Ok(!self.pressure.is_empty())
    }

    fn tell_skips(&mut self) -> Result<()> {
        for (task, skip) in self.queue.take_skips() {
            let numbers = self.queue.numbers();
            self.server.observer.event(&BuildEvent::Skipped { task, skip, numbers });
            let job = Job { task, setscene: false };
            self.events.skipped(&mut self.server, self.queue.table(), job, numbers, skip)?;
        }
        if self.scene_open && !self.queue.has_scene_work() {
            self.scene_open = false;
            self.tell(&BuildEvent::SceneComplete);
            self.events.scene_complete(&mut self.server, self.queue.numbers())?;
        }
        Ok(())
    }

    /// Tells that a job starts.
    fn announce(&mut self, job: Job) -> Result<()> {
        self.started.insert(job, Instant::now());
        let table = self.queue.table();
        let tid = tid(table, job);
        let pn = table.info(job.task).pn.clone();
        let numbers = self.queue.numbers();
        let noexec = table.is_noexec(job.task);
        self.tell(&BuildEvent::Started { job, tid: &tid, numbers, pn: &pn, noexec });
        self.events.started(&mut self.server, self.queue.table(), job, numbers)
    }

    fn start(&mut self, job: Job) -> Result<()> {
        self.announce(job)?;
        if self.build.options.dry_run {
            return self.end(job, Ok(TaskEnd::default()));
        }
        let table = self.queue.table();
        let recipe = table.recipe(job.task).id.clone();
        let fakeroot = table.is_fakeroot(job.task);
        let order = self.orders.order(table, job);
        self.give(job, &recipe, fakeroot, Request::RunTask(Box::new(order)))
    }

    /// A task that is not executed. BitBake: such tasks have stamps, but no signature files.
    fn stamp(&mut self, job: Job) -> Result<()> {
        self.announce(job)?;
        if !self.build.options.dry_run {
            stamp::write(self.queue.table(), job)?;
        }
        self.end(job, Ok(TaskEnd::default()))
    }

    fn give(
        &mut self,
        job: Job,
        recipe: &bitzel_base::RecipeId,
        fakeroot: bool,
        request: Request,
    ) -> Result<()> {
        let runner = match self.runners.idle(recipe, fakeroot) {
            Some(runner) => runner,
            None if fakeroot => {
                let mut host = match self.fakeroot_host.take() {
                    Some(host) => host,
                    None => self.start_fakeroot_host()?,
                };
                let runner = self.runners.add(&mut host, true);
                self.fakeroot_host = Some(host);
                runner?
            }
            None => self.runners.add(&mut self.server.host, false)?,
        };
        self.runners.give(runner, job, recipe, request);
        Ok(())
    }

    /// The host whose runners run fakeroot tasks, started by FAKEROOTCMD.
    fn start_fakeroot_host(&self) -> Result<Host> {
        let variable = |name: &str| self.build.recipes.variable(name).unwrap_or("");
        let launcher: Vec<String> = variable("FAKEROOTCMD").split_whitespace().map(str::to_owned).collect();
        let pairs: Vec<(String, String)> = variable("FAKEROOTBASEENV")
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let channels = self.settings.threads + SPARE_CHANNELS;
        let mut host = self.build.build_dir.start_host_by(channels, &launcher, &pairs)?;
        host.configure(self.build.build_dir.configure.clone())?;
        Ok(host)
    }

    fn take(&mut self, message: Message) -> Result<()> {
        match message {
            Message::Event(runner, event) => {
                let job = self.runners.job(runner);
                if let Some(job) = job {
                    self.note_unihash(job, &event);
                }
                self.tell(&BuildEvent::Host { job, event: &event });
                Ok(())
            }
            Message::Ended(runner, answer) => {
                let (result, alive) = task_end(answer);
                let Some(job) = self.runners.free(runner, alive) else { return Ok(()) };
                match result {
                    TaskResult::Ended(end) if end.status == 0 => self.end(job, Ok(end)),
                    TaskResult::Ended(end) => self.end(job, Err(end.status.to_string())),
                    TaskResult::Broken(_) if self.halted => {
                        self.abandon(job);
                        Ok(())
                    }
                    TaskResult::Broken(why) => self.end(job, Err(why)),
                }
            }
            Message::Interrupt => {
                let again = std::mem::replace(&mut self.outcome.interrupted, true);
                self.tell(&BuildEvent::Interrupted { again });
                if again {
                    self.halt();
                    return Ok(());
                }
                self.stop()
            }
        }
    }

    /// Ends what runs.
    fn halt(&mut self) {
        let running = self.queue.numbers().running();
        if running > 0 && !self.halted {
            let text = format!("Sending SIGTERM to remaining {running} tasks");
            self.tell(&BuildEvent::Message { level: 20, text: &text });
        }
        self.halted = true;
        self.runners.end_all();
    }

    /// A job was ended by [`Run::halt`]: it has neither failed nor succeeded.
    fn abandon(&mut self, job: Job) {
        self.started.remove(&job);
        self.queue.abandon(job);
        self.tell(&BuildEvent::Abandoned { job });
    }

    fn stop(&mut self) -> Result<()> {
        self.queue.stop();
        let running = self.queue.numbers().running();
        self.tell(&BuildEvent::Stopping { running });
        if running == 0 { Ok(()) } else { self.events.waiting(&mut self.server, running) }
    }

    /// A job is over.
    fn end(&mut self, job: Job, result: std::result::Result<TaskEnd, String>) -> Result<()> {
        let elapsed = self.started.remove(&job).map(|start| start.elapsed()).unwrap_or_default();
        let ended = match &result {
            Ok(end) => {
                self.remember(job, elapsed);
                self.tell(&BuildEvent::Succeeded { job, end, elapsed });
                Ended::Succeeded
            }
            Err(code) => {
                self.failed(job, code, elapsed);
                Ended::Failed
            }
        };
        let was_stopping = self.queue.is_stopping();
        self.queue.finish(job, ended, &mut self.server)?;
        let numbers = self.queue.numbers();
        let failure = result.err();
        self.events.ended(&mut self.server, self.queue.table(), job, numbers, failure.as_deref())?;
        if let Some(unihash) = self.new_unihashes.remove(&job.task)
            && ended == Ended::Succeeded
        {
            self.rehash(job.task, &unihash)?;
        }
        if !was_stopping && self.queue.is_stopping() {
            self.stop()?;
        }
        Ok(())
    }

    /// Hash equivalence: a task may say that its output is known under another unihash.
    fn note_unihash(&mut self, job: Job, event: &HostEvent) {
        if event.class != "bb.runqueue.taskUniHashUpdate" || job.setscene {
            return;
        }
        let fields: serde_json::Value = serde_json::from_str(&event.fields).unwrap_or_default();
        if let Some(unihash) = fields["unihash"].as_str().and_then(|text| text.parse().ok()) {
            self.new_unihashes.insert(job.task, unihash);
        }
    }

    fn rehash(&mut self, task: TaskIx, unihash: &UniHash) -> Result<()> {
        let changed = self.queue.set_unihash(task, unihash, self.unihashes, &mut self.server)?;
        self.orders.forget();
        let text = format!(
            "Task {} unihash changed to {unihash}; {changed} tasks have other hashes",
            self.queue.table().tid(task)
        );
        self.tell(&BuildEvent::Message { level: 10, text: &text });
        self.scene_open = self.queue.has_scene_work();
        Ok(())
    }

    fn remember(&mut self, job: Job, elapsed: Duration) {
        if job.setscene || self.build.options.dry_run {
            return;
        }
        let table = self.queue.table();
        let name = format!("{}:{}", table.info(job.task).pn, table.name(job.task));
        if let Some(store) = &mut self.durations {
            store.note(&name, elapsed);
        }
    }

    fn failed(&mut self, job: Job, code: &str, elapsed: Duration) {
        let table = self.queue.table();
        let tid = tid(table, job);
        let logs = &table.info(job.task).fakerootlogs;
        let log = table.is_fakeroot(job.task).then(|| std::fs::read_to_string(logs).ok()).flatten();
        self.tell(&BuildEvent::Failed { job, tid: &tid, code, fakeroot_log: log.as_deref(), elapsed });
        if !job.setscene {
            self.outcome.failures.push(TaskFailure { tid, code: code.to_owned() });
        }
    }

    /// BB_SETSCENE_ENFORCE: a task that had to be restored cannot be.
    fn refused(&mut self, task: TaskIx) {
        let table = self.queue.table();
        let (pn, name) = (&table.info(task).pn, table.name(task));
        let missing: Vec<String> = table
            .graph()
            .tasks()
            .filter(|&other| self.queue.is_missing(other))
            .map(|other| format!("'{}'", table.tid(other)))
            .collect();
        let text = format!(
            "Task {pn}.{name} attempted to execute unexpectedly\nThis is usually due to missing setscene tasks. Those missing in this build were: {{{}}}",
            missing.join(",\n ")
        );
        let job = Job { task, setscene: false };
        self.tell(&BuildEvent::Message { level: 40, text: &text });
        self.failed(job, "setscene ignore_tasks", Duration::ZERO);
    }

    fn watch_disks(&mut self) -> Result<()> {
        for alarm in self.settings.disks.check() {
            self.tell(&BuildEvent::Message { level: 30, text: &alarm.text });
            match alarm.action {
                DiskAction::Warn => {}
                DiskAction::StopTasks => {
                    let text =
                        "No new tasks can be executed since the disk space monitor action is \"STOPTASKS\"!";
                    self.tell(&BuildEvent::Message { level: 40, text });
                    self.stop()?;
                }
                DiskAction::Halt => {
                    let text = "Immediately halt since the disk space monitor action is \"HALT\"!";
                    self.tell(&BuildEvent::Message { level: 40, text });
                    self.queue.stop();
                    self.halt();
                }
            }
        }
        Ok(())
    }

    fn fire_completed(&mut self) -> Result<()> {
        let name = self.build.options.variables.get("BUILDNAME").cloned().unwrap_or_default();
        let failures = self.outcome.failures.len();
        let interrupted = u8::from(self.outcome.interrupted || self.settings.disks.has_stopped());
        for configuration in &self.build.recipes.configurations {
            let arguments =
                json!([self.queue.numbers().total, name, self.build.options.targets, failures, interrupted]);
            self.server.fire(&configuration.mc, "bb.event.BuildCompleted", &arguments)?;
        }
        Ok(())
    }
}

fn tid(table: &TaskTable<'_>, job: Job) -> String {
    let tid = table.tid(job.task);
    if job.setscene { format!("{tid}_setscene") } else { tid }
}
