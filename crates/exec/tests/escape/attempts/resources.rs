//! Using up the host. Without limits each of these gets what it asks for; with
//! them the task must end, and its outcome must name the limit.

use super::{Attempt, Works, attempt, held, out};
use bitzel_exec::Resource;
use std::fs;
use std::io::Write;
use std::time::Duration;

const MIB: usize = 1 << 20;

pub const ALL: &[Attempt] = &[
    attempt("fork-bomb", Works::Always, |_| {
        let mut children = Vec::new();
        for _ in 0..300 {
            match unsafe { libc::fork() } {
                0 => {
                    std::thread::sleep(Duration::from_secs(5));
                    unsafe { libc::_exit(0) }
                }
                -1 => break,
                pid => children.push(pid),
            }
        }
        let count = children.len();
        if count < 300 {
            // Holds on as a bomb does.
            std::thread::sleep(Duration::from_secs(3));
        }
        for pid in children {
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, std::ptr::null_mut(), 0);
            }
        }
        if count < 300 { held(&format!("{count} processes")) } else { out("300 processes") }
    })
    .limited(Resource::Pids, 50),
    attempt("memory-hog", Works::Always, |_| {
        let mut hoard = Vec::new();
        for _ in 0..40 {
            hoard.push(vec![1u8; 8 * MIB]);
            std::thread::sleep(Duration::from_millis(10));
        }
        std::hint::black_box(&hoard);
        out("320 MiB")
    })
    .limited(Resource::Memory, 64 << 20),
    attempt("disk-filler", Works::Always, |map| {
        let mut file = fs::File::create(map.work().join("big"))?;
        let block = vec![1u8; MIB];
        for _ in 0..64 {
            file.write_all(&block)?;
            file.sync_data()?;
        }
        out("64 MiB")
    })
    .limited(Resource::Disk, 16 << 20),
    attempt("inode-filler", Works::Always, |map| {
        for index in 0..5000 {
            fs::write(map.work().join(format!("file-{index}")), "")?;
        }
        out("5000 files")
    })
    .limited(Resource::Files, 1000),
    attempt("one-large-file", Works::Always, |map| {
        let file = fs::File::create(map.work().join("large"))?;
        file.set_len(1 << 30)?;
        out("1 GiB")
    })
    .limited(Resource::FileSize, 16 << 20),
    attempt("tmp-filler", Works::Always, |map| {
        let file = super::files::host_temporary(map.uid, map.victim) + ".fill";
        let result = fs::write(&file, vec![1u8; 24 * MIB]);
        fs::remove_file(&file).ok();
        result?;
        out("24 MiB in /tmp")
    })
    .limited(Resource::Tmp, 8 << 20),
    attempt("endless-loop", Works::Always, |_| {
        let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        while used.tv_nsec < 800_000_000 && used.tv_sec == 0 {
            unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut used) };
        }
        out("ran on")
    })
    .limited(Resource::CpuTime, 300),
    attempt("endless-sleep", Works::Always, |_| {
        std::thread::sleep(Duration::from_millis(1500));
        out("slept on")
    })
    .limited(Resource::Timeout, 500),
    attempt("zombie-flood", Works::Always, |_| {
        // Children nobody waits for; their parent stays.
        let mut made = 0;
        for _ in 0..200 {
            match unsafe { libc::fork() } {
                0 => unsafe { libc::_exit(0) },
                -1 => break,
                _ => made += 1,
            }
        }
        std::thread::sleep(Duration::from_millis(800));
        if made < 200 {
            return held(&format!("{made} zombies"));
        }
        out("200 zombies")
    })
    .limited(Resource::Pids, 50),
];
