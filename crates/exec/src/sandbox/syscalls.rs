//! The system calls a task is refused, each with its reason. The one list
//! behind the seccomp filter, the OCI export and `report` mode.

/// When a listed call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Always.
    Always,
    /// If an argument has any of these bits.
    AnyBit(u8, u64),
    /// If an argument (its low 32 bits) is one of these values.
    OneOf(u8, &'static [u64]),
    /// If an argument (its low 32 bits) is none of these values.
    NoneOf(u8, &'static [u64]),
    /// If the first argument is the one and the third is not the other.
    FirstIsThirdIsNot(u64, u64),
}

/// A refused call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub name: &'static str,
    pub number: libc::c_long,
    pub when: When,
    /// Answered with ENOSYS (so that libraries fall back) instead of EPERM.
    pub absent: bool,
    /// Why; read by people who wonder, and by the documentation's test.
    pub reason: &'static str,
}

/// Numbers of system calls, with those libc does not know yet.
mod numbers {
    pub(super) use libc::*;
    /// The same on all architectures.
    #[allow(non_upper_case_globals)]
    pub(super) const SYS_open_tree_attr: c_long = 467;
}

macro_rules! refuse {
    ($($name:ident = $call:ident $(if $when:expr)?;)* , $reason:literal) => {
        [$(Refused {
            name: stringify!($name),
            number: numbers::$call,
            when: refuse!(@when $($when)?),
            absent: false,
            reason: $reason,
        }),*]
    };
    (@when) => { When::Always };
    (@when $when:expr) => { $when };
}

/// Flags of clone(2) and unshare(2) that make namespaces.
const NEW_NAMESPACES: u64 = (libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP) as u64;
/// Shares the low byte with clone's exit signal, so it is one of unshare's only.
const CLONE_NEWTIME: u64 = 0x80;

const MOUNTS: [Refused; 14] = refuse! {
    mount = SYS_mount;
    umount2 = SYS_umount2;
    pivot_root = SYS_pivot_root;
    chroot = SYS_chroot;
    open_tree = SYS_open_tree;
    open_tree_attr = SYS_open_tree_attr;
    move_mount = SYS_move_mount;
    fsopen = SYS_fsopen;
    fsconfig = SYS_fsconfig;
    fsmount = SYS_fsmount;
    fspick = SYS_fspick;
    mount_setattr = SYS_mount_setattr;
    swapon = SYS_swapon;
    swapoff = SYS_swapoff;
    , "the view of the file system is fixed before the task starts"
};

const NAMESPACES: [Refused; 4] = refuse! {
    setns = SYS_setns;
    unshare = SYS_unshare if When::AnyBit(0, NEW_NAMESPACES | CLONE_NEWTIME);
    clone = SYS_clone if When::AnyBit(0, NEW_NAMESPACES);
    open_by_handle_at = SYS_open_by_handle_at;
    , "new namespaces give back the powers that were dropped, file handles reach past mounts"
};

const CLONE3: Refused = Refused {
    name: "clone3",
    number: libc::SYS_clone3,
    when: When::Always,
    absent: true,
    reason: "its flags are in memory where a filter cannot see them; the C library falls back to clone",
};

const HOST_STATE: [Refused; 18] = refuse! {
    reboot = SYS_reboot;
    kexec_load = SYS_kexec_load;
    init_module = SYS_init_module;
    finit_module = SYS_finit_module;
    delete_module = SYS_delete_module;
    acct = SYS_acct;
    quotactl = SYS_quotactl;
    quotactl_fd = SYS_quotactl_fd;
    syslog = SYS_syslog;
    settimeofday = SYS_settimeofday;
    clock_settime = SYS_clock_settime;
    adjtimex = SYS_adjtimex;
    clock_adjtime = SYS_clock_adjtime;
    sethostname = SYS_sethostname;
    setdomainname = SYS_setdomainname;
    vhangup = SYS_vhangup;
    fanotify_init = SYS_fanotify_init;
    nfsservctl = SYS_nfsservctl;
    , "changes or watches the host as a whole"
};

const OTHER_PROCESSES: [Refused; 6] = refuse! {
    // PTRACE_ATTACH and PTRACE_SEIZE; tracing one's own child (TRACEME) is left.
    ptrace = SYS_ptrace if When::OneOf(0, &[16, 0x4206]);
    process_vm_readv = SYS_process_vm_readv;
    process_vm_writev = SYS_process_vm_writev;
    process_madvise = SYS_process_madvise;
    pidfd_getfd = SYS_pidfd_getfd;
    kcmp = SYS_kcmp;
    , "reaches into the memory or the files of other processes"
};

const KEYS: [Refused; 3] = refuse! {
    keyctl = SYS_keyctl;
    add_key = SYS_add_key;
    request_key = SYS_request_key;
    , "key rings are shared with the host's sessions"
};

const KERNEL_SURFACE: [Refused; 9] = refuse! {
    bpf = SYS_bpf;
    perf_event_open = SYS_perf_event_open;
    userfaultfd = SYS_userfaultfd;
    io_uring_setup = SYS_io_uring_setup;
    io_uring_enter = SYS_io_uring_enter;
    io_uring_register = SYS_io_uring_register;
    lookup_dcookie = SYS_lookup_dcookie;
    move_pages = SYS_move_pages;
    // TIOCSTI types into the user's terminal, TIOCLINUX pastes into it.
    ioctl = SYS_ioctl if When::OneOf(1, &[0x5412, 0x541c]);
    , "large attack surface that builds do not need, or a way around this filter"
};

const SOCKETS: [Refused; 2] = [
    Refused {
        name: "socket",
        number: libc::SYS_socket,
        // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
        when: When::NoneOf(0, &[1, 2, 10, 16]),
        absent: false,
        reason: "other families (vsock, packet, alg, ...) are not held by network namespaces or need powers",
    },
    Refused {
        name: "socket",
        number: libc::SYS_socket,
        // AF_NETLINK with another protocol than NETLINK_ROUTE, which getaddrinfo uses.
        when: When::FirstIsThirdIsNot(16, 0),
        absent: false,
        reason: "netlink configures the kernel; only the routing family is used by the C library",
    },
];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: [Refused; 4] = refuse! {
    iopl = SYS_iopl;
    ioperm = SYS_ioperm;
    kexec_file_load = SYS_kexec_file_load;
    uselib = SYS_uselib;
    , "hardware access and obsolete loaders"
};
#[cfg(not(target_arch = "x86_64"))]
const ARCHITECTURE: [Refused; 1] = refuse! {
    kexec_file_load = SYS_kexec_file_load;
    , "replaces the running kernel"
};

/// The whole list.
pub(crate) fn refused() -> impl Iterator<Item = &'static Refused> {
    const ONE: &[Refused] = &[CLONE3];
    const ALL: [&[Refused]; 9] = [
        &MOUNTS,
        &NAMESPACES,
        ONE,
        &HOST_STATE,
        &OTHER_PROCESSES,
        &KEYS,
        &KERNEL_SURFACE,
        &SOCKETS,
        &ARCHITECTURE,
    ];
    ALL.into_iter().flatten()
}

/// Names and reasons of the refused system calls, in list order, for
/// documentation and for checking a policy's `syscalls`.
pub fn refused_syscalls() -> Vec<(&'static str, &'static str)> {
    let mut names: Vec<_> = refused().map(|call| (call.name, call.reason)).collect();
    names.dedup_by_key(|(name, _)| *name);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refused_call_has_its_reason_and_numbers_do_not_clash() {
        let mut seen = std::collections::BTreeMap::new();
        for call in refused() {
            assert!(call.reason.len() > 20, "{}", call.name);
            assert_eq!(*seen.entry(call.number).or_insert(call.name), call.name);
        }
        assert!(seen.len() > 50);
    }
}
