//! Waiting for a task: its end, its limits, its cancellation, and what it
//! leaves behind. Runs in the sandbox's first process.

use super::attendant::Attendant;
use super::init::{Init, InitReport};
use super::observe::Observer;
use super::program::{Program, Setting};
use super::sys;
use super::watch::{Process, Watch, descendants};
use crate::limits::Resource;
use crate::outcome::{ExitStatus, LimitHit};
use crate::spec::{Fakeroot, TaskSpec};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// Time pseudo has to write down its database.
const FAKEROOT_STOP: Duration = Duration::from_secs(10);

/// Exit code of a shell whose command was ended by SIGXFSZ.
const FILE_SIZE_CODE: i32 = 128 + libc::SIGXFSZ;

impl Init<'_> {
    /// Waits for process `task` and whatever ends it, then cleans up.
    pub(super) fn supervise(
        &self,
        task: i32,
        signals: &OwnedFd,
        mut watch: Watch,
        mut observer: Option<Observer<'_>>,
        attendant: &mut dyn Attendant,
    ) -> InitReport {
        let started = Instant::now();
        let deadline = self.spec.limits.timeout();
        let (mut status, mut limit, mut waited_ms) = (None, None, 0);
        while status.is_none() && limit.is_none() {
            let left = deadline.map(|timeout| timeout.saturating_sub(started.elapsed()));
            let pause = [left, watch.pace()].into_iter().flatten().min();
            if wait_for_news(signals, pause, observer.as_mut(), attendant) {
                status = Some(ExitStatus::Cancelled);
                break;
            }
            reap(&mut waited_ms, |ended| {
                if ended.pid == task {
                    status = Some(ended.status);
                }
            });
            limit = match (status, deadline) {
                (None, Some(timeout)) if started.elapsed() >= timeout => {
                    let (limit, used) = (timeout.as_millis() as u64, started.elapsed().as_millis() as u64);
                    Some(LimitHit { resource: Resource::Timeout, limit, used })
                }
                _ if watch.pace().is_some() => watch.look(waited_ms, status.is_some()),
                _ => None,
            };
        }
        // 128 + signal is how shells pass on that a command of theirs was killed.
        if let Some(ExitStatus::Signal(libc::SIGXFSZ) | ExitStatus::Code(FILE_SIZE_CODE)) = status {
            limit = self.spec.limits.get(Resource::FileSize).map(|limit| LimitHit {
                resource: Resource::FileSize,
                limit,
                used: limit,
            });
        }
        let notes =
            self.clean_up(status.is_some_and(|status| status != ExitStatus::Cancelled), &mut waited_ms);
        let refusals = observer.map(|observer| observer.refusals).unwrap_or_default();
        InitReport::Ended {
            status: status.unwrap_or(ExitStatus::Signal(libc::SIGKILL)),
            limit,
            notes,
            refusals,
        }
    }

    /// Ends what the task has left behind, pseudo's server last and politely.
    fn clean_up(&self, finished: bool, waited_ms: &mut u64) -> Vec<String> {
        let mut notes = Vec::new();
        // What a task leaves behind becomes a child of this process.
        if !sys::has_children() {
            return notes;
        }
        let is_server = |process: &Process| self.spec.fakeroot.is_some() && process.name == "pseudo";
        let left: Vec<Process> = descendants(std::process::id() as i32)
            .into_iter()
            .filter(|p| !p.zombie && !is_server(p))
            .collect();
        if finished && !left.is_empty() {
            let names: std::collections::BTreeSet<&str> = left.iter().map(|p| p.name.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join("`, `");
            notes.push(format!("killed {} processes the task left behind: `{names}`", left.len()));
        }
        if self.isolation.is_some() && self.spec.fakeroot.is_none() {
            // Nothing else to save: the kernel kills all that is left with this process.
            return notes;
        }
        // A process may be forking while the others are killed, so it takes rounds.
        for _ in 0..200 {
            let left: Vec<Process> = descendants(std::process::id() as i32)
                .into_iter()
                .filter(|p| !p.zombie && !is_server(p))
                .collect();
            if left.is_empty() {
                break;
            }
            for process in &left {
                sys::kill(process.pid, libc::SIGKILL).ok();
            }
            reap(waited_ms, |_| {});
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some(fakeroot) = &self.spec.fakeroot {
            notes.extend(stop_fakeroot(self.spec, fakeroot).err());
        }
        notes
    }
}

/// Sleeps until a signal, the pause's end or something to attend to; tells
/// whether the task is to end.
fn wait_for_news(
    signals: &OwnedFd,
    pause: Option<Duration>,
    observer: Option<&mut Observer<'_>>,
    attendant: &mut dyn Attendant,
) -> bool {
    let pause = pause
        .map(|pause| Timespec { tv_sec: pause.as_secs() as i64, tv_nsec: i64::from(pause.subsec_nanos()) });
    let mut fds = attendant.awaits();
    let attended = fds.len();
    fds.push(PollFd::new(signals, PollFlags::IN));
    if let Some(observer) = &observer {
        fds.push(PollFd::new(observer.listener(), PollFlags::IN));
    }
    poll(&mut fds, pause.as_ref()).ok();
    let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    drop(fds);
    let (to_attend, own) = ready.split_at(attended);
    if own.first().is_some_and(|events| !events.is_empty()) {
        let mut buffer = [0u8; 1024];
        while rustix::io::read(signals, &mut buffer).is_ok() {}
    }
    if let (Some(true), Some(observer)) = (own.get(1).map(|events| events.contains(PollFlags::IN)), observer)
    {
        observer.look();
    }
    to_attend.iter().any(|events| !events.is_empty()) && !attendant.attend(to_attend)
}

/// Has pseudo's server write its database; it is lost with this process otherwise.
fn stop_fakeroot(spec: &TaskSpec, fakeroot: &Fakeroot) -> Result<(), String> {
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .map_err(|error| format!("stop pseudo: open /dev/null: {error}"))?;
    let stop = TaskSpec {
        argv: fakeroot.stop.clone(),
        env: fakeroot.env.clone(),
        cwd: spec.cwd.clone(),
        ..TaskSpec::default()
    };
    let failed =
        |what: &str| format!("pseudo's database may be incomplete: `{}`: {what}", fakeroot.stop.join(" "));
    let setting =
        Setting { stdio: [null.as_raw_fd(); 3], doors: Vec::new(), umask: None, limits: Vec::new() };
    let pid = Program::new(&stop, setting)
        .map_err(|error| failed(&error.to_string()))?
        .start()
        .map_err(|(what, error)| failed(&format!("{what}: {error}")))?;
    let started = Instant::now();
    let mut status = None;
    while started.elapsed() < FAKEROOT_STOP {
        reap(&mut 0, |ended| {
            if ended.pid == pid {
                status = Some(ended.status);
            }
        });
        let server_runs =
            descendants(std::process::id() as i32).iter().any(|p| !p.zombie && p.name == "pseudo");
        if status.is_some() && !server_runs {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(failed("it did not end in time"))
}

/// Waits for all children that have ended.
fn reap(waited_ms: &mut u64, mut each: impl FnMut(&sys::Ended)) {
    while let Ok(Some(ended)) = sys::wait(-1, libc::WNOHANG) {
        *waited_ms += (ended.user + ended.system).as_millis() as u64;
        each(&ended);
    }
}
