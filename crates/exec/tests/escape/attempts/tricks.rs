//! Reading and writing by detours: links, mounts, descriptors, /proc.

use super::{Attempt, Got, Works, attempt, called, found, held, out};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

pub const ALL: &[Attempt] = &[
    attempt("symlink-to-secret", Works::Always, |map| {
        let link = map.work().join("link");
        symlink(map.home().join(".ssh/id_ed25519"), &link)?;
        found(&fs::read_to_string(link)?)
    }),
    attempt("symlink-to-write", Works::Always, |map| {
        let link = map.work().join("link");
        symlink(map.recipe(), &link)?;
        fs::write(link, "changed")?;
        out("wrote through the link")
    }),
    attempt("hard-link-to-write", Works::Always, |map| {
        let link = map.work().join("link");
        fs::hard_link(map.recipe(), &link)?;
        fs::write(link, "changed")?;
        out("wrote through the hard link")
    }),
    attempt("proc-self-root", Works::Always, |map| {
        let path = format!("/proc/self/root{}", map.home().join(".ssh/id_ed25519").display());
        found(&fs::read_to_string(path)?)
    }),
    attempt("proc-1-root", Works::AsRoot, |map| {
        let path = format!("/proc/1/root{}", map.home().join(".ssh/id_ed25519").display());
        found(&fs::read_to_string(path)?)
    }),
    attempt("proc-1-cwd", Works::AsRoot, |_| match fs::read_dir("/proc/1/cwd/")?.count() {
        0 => held("nothing"),
        _ => out("listed the first process' directory"),
    }),
    attempt("proc-victim-root", Works::Always, |map| {
        let path = format!("/proc/{}/root{}", map.victim, map.home().join(".ssh/id_ed25519").display());
        found(&fs::read_to_string(path)?)
    }),
    // The trial leaves descriptors of a directory and of a file open, as a careless parent does.
    attempt("inherited-directory", Works::Always, |_| {
        for fd in 3..64 {
            let path = format!("/proc/self/fd/{fd}/.ssh/id_ed25519");
            if fs::read_to_string(path).is_ok_and(|text| text == crate::world::SECRET) {
                return out(&format!("descriptor {fd}"));
            }
        }
        held("no descriptor leads there")
    }),
    attempt("parent-of-working-directory", Works::Always, |_| {
        for depth in 1..12 {
            let path = format!("{}home/.ssh/id_ed25519", "../".repeat(depth));
            if fs::read_to_string(path).is_ok() {
                return out("found above the working directory");
            }
        }
        held("not above the working directory")
    }),
    attempt("chroot-and-back", Works::AsRoot, |map| {
        let name = CString::new(map.work().join("jail").to_str().unwrap()).unwrap();
        unsafe {
            libc::mkdir(name.as_ptr(), 0o755);
            if libc::chroot(name.as_ptr()) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        for _ in 0..64 {
            std::env::set_current_dir("..")?;
        }
        called(i64::from(unsafe { libc::chroot(c".".as_ptr()) }))?;
        found(&fs::read_to_string(map.home().join(".ssh/id_ed25519"))?)
    }),
    attempt("pivot-root", Works::Perhaps, |map| {
        let script = format!(
            "mount --bind {0} {0} && cd {0} && mkdir -p old && pivot_root . old && echo pivoted",
            map.work().display()
        );
        shell(&["unshare", "-Urm", "sh", "-c", &script], "pivoted")
    }),
    attempt("mount-as-is", Works::AsRoot, |map| {
        let dir = CString::new(map.work().to_str().unwrap()).unwrap();
        let made =
            unsafe { libc::mount(c"none".as_ptr(), dir.as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null()) };
        let got = called(i64::from(made));
        unsafe { libc::umount2(dir.as_ptr(), libc::MNT_DETACH) };
        got
    }),
    attempt("mount-in-user-namespace", Works::Perhaps, |map| {
        let script = format!("mount -t tmpfs none {} && echo mounted", map.work().display());
        shell(&["unshare", "-Urm", "sh", "-c", &script], "mounted")
    }),
    attempt("remount-layer-writable", Works::Perhaps, |map| {
        // Without a sandbox the layer is writable anyway: what counts is that the call goes through.
        let script = format!(
            "mount --bind {0} {0} && mount -o remount,bind,rw {0} && echo remounted",
            map.layer().display()
        );
        shell(&["unshare", "-Urm", "sh", "-c", &script], "remounted")
    }),
    attempt("unmount-what-hides", Works::Perhaps, |map| {
        let script =
            format!("mount -t tmpfs none {0} && umount -l {0} && echo unmounted", map.layer().display());
        shell(&["unshare", "-Urm", "sh", "-c", &script], "unmounted")
    }),
    attempt("new-mount-interface", Works::AsRoot, |_| {
        let fd = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, c"/".as_ptr(), 1) };
        called(fd)
    }),
    attempt("open-by-handle", Works::AsRoot, |map| open_by_handle(&map.home().join(".ssh/id_ed25519"))),
    attempt("device-node", Works::AsRoot, |map| {
        let root = map.top.metadata()?.dev();
        let node = map.work().join("disk");
        let name = CString::new(node.to_str().unwrap()).unwrap();
        called(i64::from(unsafe { libc::mknod(name.as_ptr(), libc::S_IFBLK | 0o600, root) }))?;
        let mut start = [0u8; 512];
        use std::io::Read;
        fs::File::open(&node)?.read_exact(&mut start)?;
        out("read the host's disk")
    }),
    attempt("kernel-log-device", Works::AsRoot, |_| {
        fs::File::open("/dev/kmsg").map(|_| Got::Out("opened".into()))
    }),
    attempt("memory-device", Works::Perhaps, |_| {
        fs::File::open("/dev/mem").map(|_| Got::Out("opened".into()))
    }),
    // Both programs are put there by root, before the trial.
    attempt("set-id-program", Works::Perhaps, |map| {
        let before = unsafe { libc::getuid() };
        let shown = Command::new(map.work().join("set-id")).arg("-u").output()?;
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        if before != 0 && text.trim() == "0" {
            out("became root")
        } else {
            held(&format!("{before} stays {text}"))
        }
    }),
    attempt("file-capabilities", Works::Perhaps, |map| {
        let shown = Command::new(map.work().join("capable")).arg("/proc/self/status").output()?;
        capability(&String::from_utf8_lossy(&shown.stdout), "CapEff")
    }),
    attempt("capabilities-by-exec", Works::AsRoot, |_| {
        let shown = Command::new("cat").arg("/proc/self/status").output()?;
        capability(&String::from_utf8_lossy(&shown.stdout), "CapEff")
    }),
    attempt("core-pattern", Works::AsRoot, |_| {
        let file = "/proc/sys/kernel/core_pattern";
        let now = fs::read_to_string(file)?;
        fs::write(file, now)?;
        out("wrote it")
    }),
    attempt("sysrq", Works::AsRoot, |_| {
        fs::OpenOptions::new().write(true).open("/proc/sysrq-trigger")?;
        out("opened for writing")
    }),
    attempt("control-group-release-agent", Works::Perhaps, |map| {
        let dir = map.work().join("cg");
        fs::create_dir(&dir)?;
        let script = format!(
            "mount -t cgroup -o none,name=bitzelescape none {0} && ls {0}/release_agent && umount {0}",
            dir.display()
        );
        shell(&["sh", "-c", &script], "release_agent")
    }),
];

/// Out if a set of capabilities is not empty.
fn capability(status: &str, set: &str) -> io::Result<Got> {
    match status.lines().find(|line| line.starts_with(set)) {
        Some(line) if !line.ends_with("0000000000000000") => out(line),
        _ => held("no capabilities"),
    }
}

/// Out if the command prints a word.
fn shell(command: &[&str], word: &str) -> io::Result<Got> {
    let shown = Command::new(command[0]).args(&command[1..]).output()?;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    if text.contains(word) { out(word) } else { held(&String::from_utf8_lossy(&shown.stderr)) }
}

/// Opens a file by its handle, which no mount can stop.
fn open_by_handle(path: &Path) -> io::Result<Got> {
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        data: [u8; 128],
    }
    let mut handle = Handle { bytes: 128, kind: 0, data: [0; 128] };
    let mut mount = 0i32;
    // In a sandbox the file has no name: any handle does to see whether the call goes through.
    let path = if path.exists() { path } else { Path::new("/tmp") };
    let name = CString::new(path.to_str().unwrap()).unwrap();
    unsafe {
        let named = libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            name.as_ptr(),
            &raw mut handle,
            &raw mut mount,
            0,
        );
        if named < 0 {
            return Err(io::Error::last_os_error());
        }
        called(libc::syscall(libc::SYS_open_by_handle_at, libc::AT_FDCWD, &raw mut handle, libc::O_RDONLY))
    }
}
