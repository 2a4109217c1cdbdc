//! A build before it runs: what it is made of, and what has to be asked and told first.

use crate::queue::{Numbers, QueueOptions, RunQueue, TaskTable};
use crate::run::durations::DurationStore;
use crate::run::events::{BuildEvent, Observer};
use crate::run::interrupt::Interrupt;
use crate::run::lead::Run;
use crate::run::orders::Orders;
use crate::run::queue_events::QueueEvents;
use crate::run::runners::{Message, Runners};
use crate::run::server::Server;
use crate::run::settings::Settings;
use crate::run::stale::stale_stamps;
use crate::{Error, Result};
use bitzel_taskgraph::{Signatures, UniHashSource};
use bitzel_workspace::{BuildDir, Plan, Recipes};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

/// Channels a host has beyond one for each thread: runners that died are replaced.
pub(super) const SPARE_CHANNELS: usize = 16;

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
    pub(super) build_dir: &'a BuildDir,
    pub(super) recipes: &'a Recipes,
    plan: &'a Plan,
    signatures: &'a Signatures,
    pub(super) options: BuildOptions,
    pub(super) messages: Receiver<Message>,
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
        let events = QueueEvents::new(&mut server)?;
        let queue = RunQueue::new(table, hard, queue_options, settings.scheduler, &learned, &mut server)?;
        let mut run = Run {
            queue,
            server,
            events,
            fakeroot_host: None,
            runners: Runners::new(self.sender.clone()),
            orders: Orders::new(self.recipes, self.signatures, self.options.variables.clone()),
            settings,
            durations: store,
            started: FxHashMap::default(),
            outcome: Outcome::default(),
            pressure: String::new(),
            halted: false,
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
    if !options.dry_run {
        // Metadata removes what recipes left behind that are no more.
        let all = recipes.index.recipes().iter().filter(|recipe| !recipe.info.skipped);
        let stamps: Map<String, Value> =
            all.map(|recipe| (recipe.id.to_string(), json!(recipe.info.stamp))).collect();
        let arguments = json!([stamps]);
        for configuration in &recipes.configurations {
            server.fire(&configuration.mc, "bb.event.ReachableStamps", &arguments)?;
        }
    }
    server.fire("", "bb.event.SanityCheck", &json!([false]))?;
    let name = options.variables.get("BUILDNAME").cloned().unwrap_or_default();
    for configuration in &recipes.configurations {
        server.fire(&configuration.mc, "bb.event.BuildStarted", &json!([name, options.targets]))?;
    }
    Ok(())
}
