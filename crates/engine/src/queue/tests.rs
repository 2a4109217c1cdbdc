//! The queue in worlds made up.

use super::*;
use crate::Result;
use bitzel_base::{CompatLevel, RecipeId, RecipeInfo};
use bitzel_taskgraph::{
    EdgeKinds, FileChecksums, GraphBuilder, KeepAll, LockedSignatures, MapConfig, NoEquivalence,
    ProviderIndex, Recipe, SignInputs, Signatures, TaskGraph, TaskIx, sign,
};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A graph drawn as `pn:task>pn:task ...` ("waits for"); tasks marked `*` can be restored.
/// `x/pn:task` is of multiconfig x.
struct Lab {
    index: ProviderIndex,
    graph: TaskGraph,
    signatures: Signatures,
}

fn recipe_id(name: &str) -> RecipeId {
    let (mc, pn) = name.split_once('/').unwrap_or(("", name));
    RecipeId { mc: mc.to_owned(), variant: String::new(), file: format!("/{pn}.bb") }
}

fn pn(id: &RecipeId) -> &str {
    id.file.trim_start_matches('/').trim_end_matches(".bb")
}

impl Lab {
    fn drawn(edges: &str, targets: &[&str]) -> Lab {
        let mut builder = GraphBuilder::default();
        let mut infos: BTreeMap<RecipeId, RecipeInfo> = BTreeMap::new();
        let mut number = |builder: &mut GraphBuilder, word: &str| {
            let (name, scene) = word.strip_suffix('*').map_or((word, false), |name| (name, true));
            let (recipe, task) = name.split_once(':').unwrap();
            let id = recipe_id(recipe);
            let info = infos.entry(id.clone()).or_default();
            let task = format!("do_{task}");
            info.pn = pn(&id).to_owned();
            info.stamp = format!("/{}stamps/{}", id.mc, info.pn);
            let basehash = format!("{:064x}", info.pn.len() * 1000 + task.len());
            info.basehashes.insert(task.clone(), basehash);
            if scene && !info.task_deps.tasks.contains(&format!("{task}_setscene")) {
                info.task_deps.tasks.push(format!("{task}_setscene"));
            }
            builder.add_task(&id, &task)
        };
        for edge in edges.split_whitespace() {
            let ends: Vec<u32> = edge.split('>').map(|end| number(&mut builder, end)).collect();
            if let [from, to] = ends[..] {
                builder.add_edge(from, to, EdgeKinds::TASK);
            }
        }
        for target in targets {
            let task = number(&mut builder, target);
            builder.add_target(task);
        }
        let graph = builder.finish();
        let recipes =
            infos.into_iter().map(|(id, info)| Recipe { id, info: Arc::new(info), priority: 0 }).collect();
        let index = ProviderIndex::new(recipes, BTreeMap::from([(String::new(), config())]));
        let signatures = {
            let inputs = SignInputs {
                index: &index,
                graph: &graph,
                filter: &KeepAll,
                locked: &LockedSignatures::default(),
                taints: &Default::default(),
                level: CompatLevel::V2_18,
            };
            sign(&inputs, &mut FileChecksums::default(), &mut NoEquivalence).unwrap()
        };
        Lab { index, graph, signatures }
    }

    fn table(&self) -> TaskTable<'_> {
        TaskTable::new(&self.index, &self.graph, &self.signatures, true)
    }

    fn task(&self, name: &str) -> TaskIx {
        let (recipe, task) = name.split_once(':').unwrap();
        self.graph.find(&recipe_id(recipe), &format!("do_{task}")).unwrap()
    }

    fn name(&self, task: TaskIx) -> String {
        let id = self.graph.recipe(task);
        let pn = pn(id);
        let mc = if id.mc.is_empty() { String::new() } else { format!("{}/", id.mc) };
        format!("{mc}{pn}:{}", self.graph.task_name(task).trim_start_matches("do_"))
    }

    /// Runs everything, several tasks at once, and gives what ran in order of its start.
    fn run<'a>(&'a self, world: &mut Fake<'a>, options: QueueOptions) -> (Vec<String>, Numbers) {
        self.run_hard(world, options, FxHashMap::default())
    }

    fn run_hard<'a>(
        &'a self,
        world: &mut Fake<'a>,
        options: QueueOptions,
        hard: FxHashMap<TaskIx, Vec<TaskIx>>,
    ) -> (Vec<String>, Numbers) {
        world.lab = Some(self);
        let mut queue =
            RunQueue::new(self.table(), hard, options, Scheduler::Speed, &Durations::default(), world)
                .unwrap();
        let (mut running, mut ran) = (Vec::new(), Vec::new());
        loop {
            match queue.next(world).unwrap() {
                Step::Start(job) | Step::Stamp(job) | Step::Pretend(job) => {
                    let name = self.name(job.task) + if job.setscene { "_setscene" } else { "" };
                    ran.push(name.clone());
                    running.push((job, name));
                }
                Step::Refused(task) => ran.push(format!("refused {}", self.name(task))),
                Step::Finished => break,
                Step::Wait => {
                    let (job, name) = running.remove(0);
                    let failed = world.failing.contains(name.as_str());
                    if !failed {
                        world.now += Duration::from_secs(1);
                        world.stamps.insert(queue.table().stamp(job.task, job.setscene), world.now);
                        world.made.insert(name);
                    }
                    let ended = if failed { Ended::Failed } else { Ended::Succeeded };
                    queue.finish(job, ended, world).unwrap();
                }
            }
        }
        assert!(running.is_empty(), "the queue waits for all");
        (ran, queue.numbers())
    }
}

fn config() -> Arc<dyn bitzel_taskgraph::ConfigVars + Send + Sync> {
    Arc::new(MapConfig::default())
}

struct Fake<'a> {
    lab: Option<&'a Lab>,
    restorable: BTreeSet<&'a str>,
    /// Tasks that are dispensable where all dependents are restored.
    dispensable: BTreeSet<&'a str>,
    failing: BTreeSet<&'a str>,
    stamps: BTreeMap<String, SystemTime>,
    made: BTreeSet<String>,
    now: SystemTime,
    /// A task is restorable once the same was made elsewhere.
    shared: bool,
}

impl<'a> Fake<'a> {
    fn new(restorable: &[&'a str]) -> Fake<'a> {
        Fake {
            lab: None,
            restorable: restorable.iter().copied().collect(),
            dispensable: BTreeSet::new(),
            failing: BTreeSet::new(),
            stamps: BTreeMap::new(),
            made: BTreeSet::new(),
            now: SystemTime::UNIX_EPOCH,
            shared: false,
        }
    }
}

impl World for Fake<'_> {
    fn modified(&mut self, stamp: &str) -> Option<SystemTime> {
        self.stamps.get(stamp).copied()
    }

    fn restorable(&mut self, _: &TaskTable<'_>, tasks: &[TaskIx], _: usize) -> Result<Vec<bool>> {
        let lab = self.lab.unwrap();
        let yes = |task: &TaskIx| {
            let name = lab.name(*task);
            let plain = name.split_once('/').map_or(name.as_str(), |(_, plain)| plain);
            self.restorable.contains(name.as_str()) || self.shared && self.made.contains(plain)
        };
        Ok(tasks.iter().map(yes).collect())
    }

    fn dispensable(&mut self, _: &TaskTable<'_>, task: TaskIx, _: &[TaskIx], _: &[TaskIx]) -> Result<bool> {
        Ok(self.dispensable.contains(self.lab.unwrap().name(task).as_str()))
    }
}

/// Two recipes as OpenEmbedded has them, in small.
const SMALL: &str = "a:install>a:compile a:sysroot*>a:install a:package*>a:install \
     b:compile>a:sysroot b:install>b:compile b:sysroot*>b:install b:package*>b:install b:package>a:package \
     b:write*>b:package b:build>b:write b:build>b:sysroot b:build>a:package";

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn everything_runs_once_in_order_and_then_nothing() {
    let lab = Lab::drawn(SMALL, &["b:build"]);
    let mut world = Fake::new(&[]);
    let (ran, numbers) = lab.run(&mut world, QueueOptions::default());
    assert_eq!(ran.len(), lab.graph.len());
    assert_eq!((numbers.completed, numbers.skipped, numbers.failed), (ran.len(), 0, 0));
    for task in lab.graph.tasks() {
        let place = |task| ran.iter().position(|name| *name == lab.name(task)).unwrap();
        assert!(lab.graph.deps(task).all(|dep| place(dep) < place(task)));
    }
    let (again, numbers) = lab.run(&mut world, QueueOptions::default());
    assert_eq!((again.len(), numbers.skipped), (0, lab.graph.len()));
}

#[test]
fn what_is_restored_covers_what_only_it_needs() {
    let lab = Lab::drawn(SMALL, &["b:build"]);
    let mut world = Fake::new(&["a:sysroot", "a:package", "b:sysroot", "b:package", "b:write"]);
    world.dispensable = BTreeSet::from(["a:sysroot", "b:package"]);
    let (ran, numbers) = lab.run(&mut world, QueueOptions::default());
    let expected = ["a:package_setscene", "b:build", "b:sysroot_setscene", "b:write_setscene"];
    assert_eq!(sorted(ran), expected);
    assert_eq!((numbers.scene_covered, numbers.scene_not_covered), (5, 0));
    let (again, _) = lab.run(&mut world, QueueOptions::default());
    assert!(again.is_empty(), "stamps of setscene tasks count");
}

#[test]
fn real_tasks_wait_for_what_restored_dependencies_stand_on() {
    let lab = Lab::drawn("b:compile>a:sysroot* a:sysroot>z:sysroot* c:x>b:compile", &["c:x"]);
    let mut world = Fake::new(&["a:sysroot", "z:sysroot"]);
    let (ran, _) = lab.run(&mut world, QueueOptions::default());
    let place = |name: &str| ran.iter().position(|n| n == name).unwrap();
    assert!(place("z:sysroot_setscene") < place("b:compile"));
    assert!(place("a:sysroot_setscene") < place("b:compile"));
}

#[test]
fn a_failing_setscene_task_falls_back_to_the_real_one() {
    let lab = Lab::drawn(SMALL, &["b:build"]);
    let mut world = Fake::new(&["a:sysroot", "a:package", "b:sysroot", "b:package", "b:write"]);
    world.dispensable = BTreeSet::from(["a:sysroot", "b:package"]);
    world.failing = BTreeSet::from(["b:write_setscene"]);
    let (ran, numbers) = lab.run(&mut world, QueueOptions::default());
    assert!(ran.contains(&"b:write".to_owned()) && ran.contains(&"b:package_setscene".to_owned()));
    assert!(!ran.contains(&"b:compile".to_owned()));
    assert_eq!(numbers.failed, 0);
}

#[test]
fn a_failure_stops_new_tasks_unless_told_to_go_on() {
    let lab = Lab::drawn("t:all>a:x t:all>b:y b:y>b:x a:x>a:w", &["t:all"]);
    let mut world = Fake::new(&[]);
    world.failing = BTreeSet::from(["a:w"]);
    let (ran, numbers) = lab.run(&mut world, QueueOptions::default());
    assert_eq!((ran.len(), numbers.failed), (2, 1), "{ran:?}");
    let mut world = Fake::new(&[]);
    world.failing = BTreeSet::from(["a:w"]);
    let (ran, _) = lab.run(&mut world, QueueOptions { keep_going: true, ..QueueOptions::default() });
    assert_eq!(sorted(ran), ["a:w", "b:x", "b:y"]);
}

#[test]
fn without_setscene_everything_is_made_and_only_setscene_makes_nothing() {
    let lab = Lab::drawn(SMALL, &["b:build"]);
    let mut world = Fake::new(&["a:sysroot", "a:package", "b:sysroot", "b:package", "b:write"]);
    let (ran, numbers) = lab.run(&mut world, QueueOptions { no_setscene: true, ..QueueOptions::default() });
    assert_eq!((ran.len(), numbers.scene_total), (lab.graph.len(), 0));
    let mut world = Fake::new(&["a:package", "b:sysroot"]);
    let (ran, _) = lab.run(&mut world, QueueOptions { setscene_only: true, ..QueueOptions::default() });
    assert_eq!(sorted(ran), ["a:package_setscene", "b:sysroot_setscene"]);
    let (ran, _) = lab.run(&mut world, QueueOptions { skip_setscene: true, ..QueueOptions::default() });
    assert!(ran.iter().all(|name| !name.ends_with("_setscene")));
    assert!(!ran.contains(&"a:package".to_owned()), "what was restored before stays");
}

#[test]
fn equal_tasks_of_multiconfigs_are_made_once() {
    let one =
        "M:build>M:write* M:write>M:package* M:package>M:install M:build>M:sysroot* M:sysroot>M:install";
    let drawn = format!("{} {}", one.replace('M', "a"), one.replace('M', "x/a"));
    let lab = Lab::drawn(&drawn, &["a:build", "x/a:build"]);
    let mut world = Fake::new(&[]);
    world.shared = true;
    world.dispensable = BTreeSet::from(["x/a:package"]);
    let (ran, _) = lab.run(&mut world, QueueOptions::default());
    let expected = [
        "a:build",
        "a:install",
        "a:package",
        "a:sysroot",
        "a:write",
        "x/a:build",
        "x/a:sysroot_setscene",
        "x/a:write_setscene",
    ];
    assert_eq!(sorted(ran), expected);
}

#[test]
fn a_deferred_task_is_made_if_its_leader_never_comes() {
    let lab = Lab::drawn("a:build>a:p* a:p>a:i x/a:build>x/a:p* x/a:p>x/a:i", &["a:build", "x/a:build"]);
    let mut world = Fake::new(&[]);
    world.failing = BTreeSet::from(["a:i"]);
    let (ran, _) = lab.run(&mut world, QueueOptions { keep_going: true, ..QueueOptions::default() });
    assert!(ran.contains(&"x/a:p".to_owned()), "{ran:?}");
}

#[test]
fn hard_dependencies_come_first_and_have_to_succeed() {
    let lab = Lab::drawn("t:build>a:package* t:build>u:sysroot* a:package>a:i", &["t:build"]);
    let hard = || FxHashMap::from_iter([(lab.task("a:package"), vec![lab.task("u:sysroot")])]);
    let mut world = Fake::new(&["a:package", "u:sysroot"]);
    let (ran, _) = lab.run_hard(&mut world, QueueOptions::default(), hard());
    assert_eq!(ran, ["u:sysroot_setscene", "a:package_setscene", "t:build"]);
    let mut world = Fake::new(&["a:package"]);
    let (ran, _) = lab.run_hard(&mut world, QueueOptions::default(), hard());
    assert!(!ran.contains(&"a:package_setscene".to_owned()));
}

#[test]
fn enforced_setscene_refuses_real_tasks_but_those_named() {
    let lab = Lab::drawn("a:build>a:p* a:build>a:q* a:q>a:i", &["a:build"]);
    let globs = |text: &str| {
        let mut set = globset::GlobSetBuilder::new();
        set.add(globset::Glob::new(text).unwrap());
        Some(set.build().unwrap())
    };
    let mut world = Fake::new(&["a:p"]);
    let options = QueueOptions { enforce: globs("a:do_build"), ..QueueOptions::default() };
    let (ran, numbers) = lab.run(&mut world, options);
    assert!(ran.contains(&"refused a:i".to_owned()) && numbers.failed == 1, "{ran:?}");
    let mut world = Fake::new(&["a:p"]);
    let options = QueueOptions { enforce: globs("a:*"), ..QueueOptions::default() };
    let (_, numbers) = lab.run(&mut world, options);
    assert_eq!((numbers.failed, numbers.completed), (0, 4));
}

#[test]
fn a_missing_stamp_below_makes_what_stands_on_it_run_again() {
    let lab = Lab::drawn("a:c>a:b a:b>a:a", &["a:c"]);
    let mut world = Fake::new(&[]);
    lab.run(&mut world, QueueOptions::default());
    let gone = lab.table().stamp(lab.task("a:b"), false);
    world.stamps.remove(&gone);
    let (ran, _) = lab.run(&mut world, QueueOptions::default());
    assert_eq!(ran, ["a:b", "a:c"]);
}

#[test]
fn limits_of_task_names_hold() {
    let lab = Lab::drawn("t:all>a:fetch t:all>b:fetch t:all>c:fetch", &["t:all"]);
    let mut world = Fake::new(&[]);
    world.lab = Some(&lab);
    let options = QueueOptions {
        task_limits: FxHashMap::from_iter([("do_fetch".to_owned(), 2)]),
        ..QueueOptions::default()
    };
    let mut queue = RunQueue::new(
        lab.table(),
        FxHashMap::default(),
        options,
        Scheduler::Basic,
        &Durations::default(),
        &mut world,
    )
    .unwrap();
    let first = queue.next(&mut world).unwrap();
    assert!(matches!(first, Step::Start(_)) && matches!(queue.next(&mut world).unwrap(), Step::Start(_)));
    assert_eq!(queue.next(&mut world).unwrap(), Step::Wait);
    let Step::Start(job) = first else { unreachable!() };
    queue.finish(job, Ended::Succeeded, &mut world).unwrap();
    assert!(matches!(queue.next(&mut world).unwrap(), Step::Start(_)));
}

#[test]
fn learned_durations_put_the_critical_path_first() {
    let lab = Lab::drawn("t:all>a:short t:all>b:long t:all>c:short", &["t:all"]);
    let durations = Durations::from_iter([
        ("b:do_long".to_owned(), Duration::from_secs(60)),
        ("a:do_short".to_owned(), Duration::from_secs(1)),
    ]);
    let mut world = Fake::new(&[]);
    world.lab = Some(&lab);
    let mut queue = RunQueue::new(
        lab.table(),
        FxHashMap::default(),
        QueueOptions::default(),
        Scheduler::Speed,
        &durations,
        &mut world,
    )
    .unwrap();
    let Step::Start(job) = queue.next(&mut world).unwrap() else { panic!("something is ready") };
    assert_eq!(lab.name(job.task), "b:long");
}

#[test]
fn large_graphs_are_gone_through_in_a_moment() {
    let mut edges = String::new();
    for n in 0..6000 {
        edges.push_str(&format!("r{n}:p*>r{n}:i r{n}:i>r{n}:c r{n}:c>r{n}:s "));
        for back in [1, 2, 3, 50, 500] {
            if n >= back {
                edges.push_str(&format!("r{n}:s>r{}:p* ", n - back));
            }
        }
        edges.push_str(&format!("t:all>r{n}:p* "));
    }
    let lab = Lab::drawn(&edges, &["t:all"]);
    let start = std::time::Instant::now();
    let (ran, _) = lab.run(&mut Fake::new(&[]), QueueOptions::default());
    assert_eq!(ran.len(), 24_001);
    assert!(start.elapsed() < Duration::from_secs(30), "took {:?}", start.elapsed());
}
