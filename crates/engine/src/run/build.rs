//! A build: the run queue led by what happens in the runners.

use crate::limits::DiskAction;
use crate::queue::{Ended, Job, Numbers, QueueOptions, RunQueue, Step, TaskTable};
use crate::run::durations::DurationStore;
use crate::run::events::{BuildEvent, Observer};
use crate::run::interrupt::Interrupt;
use crate::run::orders::Orders;
use crate::run::runners::{Message, Runners, TaskResult, task_end};
use crate::run::server::Server;
use crate::run::settings::Settings;
use crate::run::stale::stale_stamps;
use crate::run::stamp;
use crate::{Error, Result};
use bitzel_host::Host;
use bitzel_recipe::protocol::{HostEvent, Request, TaskEnd};
use bitzel_taskgraph::{Signatures, TaskIx, UniHash, UniHashSource};
use bitzel_workspace::{BuildDir, Plan, Recipes};
use rustc_hash::FxHashMap;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Channels a host has beyond one for each thread: runners that died are replaced.
const SPARE_CHANNELS: usize = 16;

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// How to go through the graph.
    pub queue: QueueOptions,
    /// `-n`: go through the motions.
    pub dry_run: bool,
    /// Variables that all tasks see: BUILDNAME, DATE, TIME.
    pub variables: BTreeMap<String, String>,
    /// The lowest level of messages wanted of the configuration's functions, as Python's
    /// `logging` numbers them.
    pub log_level: u32,
    /// Names of the targets, for events.
    pub targets: Vec<String>,
    /// Where to remember how long tasks took; `None` to forget.
    pub durations: Option<PathBuf>,
}

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFailure {
    /// `FILE:do_x`.
    pub tid: String,
    /// Its exit code, or why there is none.
    pub code: String,
}

/// What became of a build.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Counts at the end.
    pub numbers: Numbers,
    /// In the order they failed.
    pub failures: Vec<TaskFailure>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// A build about to run.
pub struct Build<'a> {
    build_dir: &'a BuildDir,
    recipes: &'a Recipes,
    plan: &'a Plan,
    signatures: &'a Signatures,
    options: BuildOptions,
    messages: Receiver<Message>,
    sender: std::sync::mpsc::Sender<Message>,
}

impl<'a> Build<'a> {
    /// A build of all tasks of a plan.
    pub fn new(
        build_dir: &'a BuildDir,
        recipes: &'a Recipes,
        plan: &'a Plan,
        signatures: &'a Signatures,
        options: BuildOptions,
    ) -> Build<'a> {
        let (sender, messages) = channel();
        Build { build_dir, recipes, plan, signatures, options, messages, sender }
    }

    /// What asks this build to stop, from any thread.
    pub fn interrupt(&self) -> Interrupt {
        Interrupt::new(self.sender.clone())
    }

    /// Runs it. Tasks that fail are part of the outcome.
    ///
    /// # Errors
    /// [`Error`] where the build itself cannot go on.
    pub fn run(self, observer: &mut dyn Observer, unihashes: &mut dyn UniHashSource) -> Result<Outcome> {
        let settings = Settings::read(self.recipes, &self.plan.graph)?;
        let mut host = self.build_dir.start_host(settings.threads + SPARE_CHANNELS)?;
        host.configure(self.build_dir.configure.clone())?;
        let mut server = Server { host, observer, summed_up: false };
        begin(&mut server, self.recipes, &self.options)?;
        let index = &self.recipes.index;
        let table = TaskTable::new(index, &self.plan.graph, self.signatures, settings.hashed_stamps);
        let hard = table.hard_dependencies(&|mc: &str, name: &str| self.plan.resolution.provider(mc, name));
        let mut queue_options = self.options.queue.clone();
        queue_options.enforce = settings.enforce.clone();
        queue_options.task_limits = task_limits(&table, &mut server)?;
        let store = self.options.durations.as_deref().map(DurationStore::open);
        let learned = store.as_ref().map(DurationStore::durations).unwrap_or_default();
        fire_started(&mut server, self.recipes, &self.options)?;
        server.observer.event(&BuildEvent::Preparing);
        if settings.hashed_stamps && !self.options.dry_run {
            for (mc, stamps) in stale_stamps(&table) {
                server.fire(&mc, "bb.event.StaleSetSceneTasks", &json!([stamps]))?;
            }
        }
        let queue = RunQueue::new(table, hard, queue_options, settings.scheduler, &learned, &mut server)?;
        let mut run = Run {
            queue,
            server,
            fakeroot_host: None,
            runners: Runners::new(self.sender.clone()),
            orders: Orders::new(self.recipes, self.signatures, self.options.variables.clone()),
            settings,
            durations: store,
            started: FxHashMap::default(),
            outcome: Outcome::default(),
            pressure: String::new(),
            scene_open: true,
            new_unihashes: FxHashMap::default(),
            unihashes,
            build: &self,
        };
        run.lead()
    }
}

/// `[number_threads]` of the tasks of a graph, by the configuration.
fn task_limits(table: &TaskTable<'_>, server: &mut Server<'_>) -> Result<FxHashMap<String, usize>> {
    let mut names: Vec<String> = table.graph().tasks().map(|task| table.name(task).to_owned()).collect();
    names.sort();
    names.dedup();
    let answer = server.call("number_threads", names)?;
    serde_json::from_str(&answer)
        .map_err(|error| Error::Answer { function: "number_threads", problem: error.to_string() })
}

fn begin(server: &mut Server<'_>, recipes: &Recipes, options: &BuildOptions) -> Result<()> {
    let mut arguments = vec![json!(options.variables).to_string(), options.log_level.to_string()];
    arguments.extend(recipes.configurations.iter().map(|configuration| configuration.mc.clone()));
    server.call("begin_build", arguments).map(drop)
}

fn fire_started(server: &mut Server<'_>, recipes: &Recipes, options: &BuildOptions) -> Result<()> {
    server.fire("", "bb.event.SanityCheck", &json!([false]))?;
    let name = options.variables.get("BUILDNAME").cloned().unwrap_or_default();
    for configuration in &recipes.configurations {
        server.fire(&configuration.mc, "bb.event.BuildStarted", &json!([name, options.targets]))?;
    }
    Ok(())
}

/// A build that runs.
struct Run<'b, 'a, 'o> {
    build: &'b Build<'a>,
    queue: RunQueue<'b>,
    server: Server<'o>,
    fakeroot_host: Option<Host>,
    runners: Runners,
    orders: Orders<'b>,
    settings: Settings,
    durations: Option<DurationStore>,
    started: FxHashMap<Job, Instant>,
    outcome: Outcome,
    pressure: String,
    scene_open: bool,
    /// What running tasks reported of their output.
    new_unihashes: FxHashMap<TaskIx, UniHash>,
    unihashes: &'o mut dyn UniHashSource,
}

impl Run<'_, '_, '_> {
    fn lead(&mut self) -> Result<Outcome> {
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
                    self.watch_disks();
                    self.tell(&BuildEvent::Tick);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.tell_skips();
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
            if running >= self.settings.threads || (running > 0 && self.is_under_pressure()) {
                return Ok(false);
            }
            let step = self.queue.next(&mut self.server)?;
            self.tell_skips();
            match step {
                Step::Start(job) => self.start(job)?,
                Step::Stamp(job) => self.stamp(job)?,
                Step::Pretend(job) => {
                    self.announce(job);
                    self.end(job, Ok(TaskEnd::default()))?;
                }
                Step::Refused(task) => self.refused(task),
                Step::Wait => return Ok(false),
                Step::Finished => return Ok(true),
            }
        }
    }

    fn is_under_pressure(&mut self) -> bool {
        let reason = self.settings.pressure.exceeded().unwrap_or_default();
        if reason != self.pressure {
            self.tell(&BuildEvent::Pressure { reason: &reason });
            self.pressure = reason;
        }
        !self.pressure.is_empty()
    }

    fn tell_skips(&mut self) {
        for (task, skip) in self.queue.take_skips() {
            let numbers = self.queue.numbers();
            self.server.observer.event(&BuildEvent::Skipped { task, skip, numbers });
        }
        if self.scene_open && !self.queue.has_scene_work() {
            self.scene_open = false;
            self.tell(&BuildEvent::SceneComplete);
        }
    }

    /// Tells that a job starts.
    fn announce(&mut self, job: Job) {
        self.started.insert(job, Instant::now());
        let table = self.queue.table();
        let tid = tid(table, job);
        let pn = table.info(job.task).pn.clone();
        let numbers = self.queue.numbers();
        self.tell(&BuildEvent::Started { job, tid: &tid, numbers, pn: &pn });
    }

    fn start(&mut self, job: Job) -> Result<()> {
        self.announce(job);
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
        self.announce(job);
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
                    TaskResult::Broken(why) => self.end(job, Err(why)),
                }
            }
            Message::Interrupt => {
                if self.outcome.interrupted {
                    self.runners.end_all();
                } else {
                    self.outcome.interrupted = true;
                    self.stop();
                }
                Ok(())
            }
        }
    }

    fn stop(&mut self) {
        self.queue.stop();
        let running = self.queue.numbers().running();
        self.tell(&BuildEvent::Stopping { running });
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
        if let Some(unihash) = self.new_unihashes.remove(&job.task)
            && ended == Ended::Succeeded
        {
            self.rehash(job.task, &unihash)?;
        }
        if !was_stopping && self.queue.is_stopping() {
            self.stop();
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

    fn watch_disks(&mut self) {
        for alarm in self.settings.disks.check() {
            let (level, more) = match alarm.action {
                DiskAction::Warn => (30, None),
                DiskAction::StopTasks => (
                    40,
                    Some(
                        "No new tasks can be executed since the disk space monitor action is \"STOPTASKS\"!",
                    ),
                ),
                DiskAction::Halt => {
                    (40, Some("Immediately halt since the disk space monitor action is \"HALT\"!"))
                }
            };
            self.tell(&BuildEvent::Message { level: 30, text: &alarm.text });
            if let Some(text) = more {
                self.tell(&BuildEvent::Message { level, text });
                self.outcome.interrupted = true;
                self.stop();
            }
            if alarm.action == DiskAction::Halt {
                self.runners.end_all();
            }
        }
    }

    fn fire_completed(&mut self) -> Result<()> {
        let name = self.build.options.variables.get("BUILDNAME").cloned().unwrap_or_default();
        let failures = self.outcome.failures.len();
        let interrupted = u8::from(self.outcome.interrupted);
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
