//! The processes that run tasks: forked from hosts, one thread of ours watching each.

use crate::queue::Job;
use crate::{Error, Result};
use bitzel_base::RecipeId;
use bitzel_host::{Channel, Error as HostError, HangUp, Host};
use bitzel_recipe::protocol::{HostEvent, Reply, Request, TaskEnd};
use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// How many recipes a runner keeps evaluated.
const KEPT: usize = 4;

/// What reaches the thread that leads the build.
pub(crate) enum Message {
    /// A task's process says something.
    Event(usize, HostEvent),
    /// The answer to what a runner was asked.
    Ended(usize, std::result::Result<Reply, HostError>),
    /// The user wants to stop.
    Interrupt,
}

struct Runner {
    orders: Sender<Request>,
    hang_up: HangUp,
    thread: JoinHandle<()>,
    /// Recipes it holds, the last one first.
    holds: VecDeque<RecipeId>,
    busy: Option<Job>,
    alive: bool,
    fakeroot: bool,
}

/// All runners of a build.
pub(crate) struct Runners {
    runners: Vec<Runner>,
    to_build: Sender<Message>,
}

impl Runners {
    pub(crate) fn new(to_build: Sender<Message>) -> Runners {
        Runners { runners: Vec::new(), to_build }
    }

    /// An idle runner: one that holds the recipe, or the one whose recipes are least
    /// likely to be needed again.
    pub(crate) fn idle(&self, recipe: &RecipeId, fakeroot: bool) -> Option<usize> {
        let idle = || {
            let all = self.runners.iter().enumerate();
            all.filter(move |(_, r)| r.alive && r.busy.is_none() && r.fakeroot == fakeroot)
        };
        let holding = idle().find(|(_, runner)| runner.holds.contains(recipe));
        holding.or_else(|| idle().min_by_key(|(_, runner)| runner.holds.len())).map(|(number, _)| number)
    }

    /// Forks one more from a host.
    pub(crate) fn add(&mut self, host: &mut Host, fakeroot: bool) -> Result<usize> {
        let channel =
            host.fork(1)?.pop().ok_or_else(|| HostError::Died("it has no channels left".to_owned()))?;
        let hang_up = channel.hang_up()?;
        let number = self.runners.len();
        let (orders, received) = channel_pair();
        let to_build = self.to_build.clone();
        let thread = std::thread::Builder::new()
            .name(format!("runner {number}"))
            .spawn(move || watch(number, channel, &received, &to_build))
            .map_err(|cause| Error::System { what: "start a thread", cause })?;
        self.runners.push(Runner {
            orders,
            hang_up,
            thread,
            holds: VecDeque::new(),
            busy: None,
            alive: true,
            fakeroot,
        });
        Ok(number)
    }

    /// Gives a runner something to do.
    pub(crate) fn give(&mut self, number: usize, job: Job, recipe: &RecipeId, request: Request) {
        let runner = &mut self.runners[number];
        runner.busy = Some(job);
        runner.holds.retain(|held| held != recipe);
        runner.holds.push_front(recipe.clone());
        runner.holds.truncate(KEPT);
        if runner.orders.send(request).is_err() {
            let gone = HostError::Died("its thread ended".to_owned());
            // The receiver lives as long as the build.
            drop(self.to_build.send(Message::Ended(number, Err(gone))));
        }
    }

    /// The job a runner has.
    pub(crate) fn job(&self, number: usize) -> Option<Job> {
        self.runners.get(number)?.busy
    }

    /// A runner is done with its job; one whose process died gets no other.
    pub(crate) fn free(&mut self, number: usize, alive: bool) -> Option<Job> {
        let runner = self.runners.get_mut(number)?;
        runner.alive &= alive;
        runner.busy.take()
    }

    /// Ends all tasks that run.
    pub(crate) fn end_all(&self) {
        self.runners.iter().filter(|runner| runner.busy.is_some()).for_each(|runner| runner.hang_up.now());
    }
}

impl Drop for Runners {
    fn drop(&mut self) {
        for runner in self.runners.drain(..) {
            if runner.busy.is_some() {
                runner.hang_up.now();
            }
            drop(runner.orders);
            // A thread that panicked has said so itself.
            drop(runner.thread.join());
        }
    }
}

fn channel_pair() -> (Sender<Request>, std::sync::mpsc::Receiver<Request>) {
    channel()
}

fn watch(
    number: usize,
    mut channel: Channel,
    orders: &std::sync::mpsc::Receiver<Request>,
    to_build: &Sender<Message>,
) {
    for order in orders {
        let answer = channel.ask_and_watch(&order, &mut |event| {
            // Once the build is over nobody wants to know.
            drop(to_build.send(Message::Event(number, event)));
        });
        if to_build.send(Message::Ended(number, answer)).is_err() {
            return;
        }
    }
}

/// What an answer to an order to run a task says: how the task ended, and whether the
/// runner can go on.
pub(crate) fn task_end(answer: std::result::Result<Reply, HostError>) -> (TaskResult, bool) {
    match answer {
        Ok(Reply::TaskEnded(end)) => (TaskResult::Ended(end), true),
        Ok(Reply::Done) => (TaskResult::Ended(TaskEnd::default()), true),
        Ok(_) => (TaskResult::Broken(HostError::Confused.to_string()), false),
        Err(HostError::Failed(failure)) => (TaskResult::Broken(failure.message), true),
        Err(error) => (TaskResult::Broken(error.to_string()), false),
    }
}

/// How a task ended, if its process told.
pub(crate) enum TaskResult {
    /// Its process ended.
    Ended(TaskEnd),
    /// It could not be started, or its runner is gone.
    Broken(String),
}
