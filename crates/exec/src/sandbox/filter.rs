//! Compiles the list of refused system calls into one seccomp program.
//!
//! Written by hand because loading is what a sandboxed task pays for: the
//! kernel runs a new program once for every system call number there is. The
//! program steps over blocks of numbers; a linear one, as filter libraries
//! write them, took three times as long to load.

use super::syscalls::{Refused, When, refused};
use libc::sock_filter;

/// Numbers compared one by one within a block.
const BLOCK: usize = 8;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_EQ: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_GT: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const JUMP_GE: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const JUMP_SET: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in the kernel's `seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ABSENT: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// `AUDIT_ARCH_*` of linux/audit.h; calls by another interface (of 32-bit
/// programs) have other numbers and end the process.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const NATIVE: u32 = 0xc000_00f3;

/// A compiled filter, ready to be loaded by any number of tasks.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Vec<sock_filter>);

impl Filter {
    /// Compiles the list without the calls in `allowed`.
    pub(crate) fn compile(allowed: &[String]) -> Filter {
        let calls = refused().filter(|call| !allowed.iter().any(|name| name == call.name)).copied().collect();
        Filter::new(calls, REFUSE)
    }

    /// Compiles a list of calls to be shown to a supervisor in place of being refused.
    pub(super) fn shown(calls: Vec<Refused>) -> Filter {
        Filter::new(calls, libc::SECCOMP_RET_USER_NOTIF)
    }

    fn new(mut calls: Vec<Refused>, refuse: u32) -> Filter {
        calls.sort_by_key(|call| call.number);
        let mut program = vec![
            load(ARCHITECTURE),
            jump(JUMP_EQ, NATIVE, 1, 0),
            answer(if refuse == REFUSE { libc::SECCOMP_RET_KILL_PROCESS } else { ALLOW }),
            load(NUMBER),
        ];
        if cfg!(target_arch = "x86_64") {
            // The x32 interface offers every call a second time under numbers with bit 30 set.
            program.extend([
                jump(JUMP_GE, 0x4000_0000, 0, 1),
                answer(if refuse == REFUSE { ABSENT } else { ALLOW }),
            ]);
        }
        let groups: Vec<&[Refused]> = calls.chunk_by(|one, other| one.number == other.number).collect();
        for block in groups.chunks(BLOCK) {
            let body: Vec<sock_filter> =
                block.iter().flat_map(|group| rules(group, refuse)).chain([answer(ALLOW)]).collect();
            let last = block.last().expect("blocks are not empty")[0].number;
            let length = u8::try_from(body.len()).expect("a block is short enough for one jump");
            program.push(jump(JUMP_GT, last as u32, length, 0));
            program.extend(body);
        }
        program.push(answer(ALLOW));
        Filter(program)
    }

    /// Loads the filter into this process; others see the calls through the
    /// descriptor whose number is returned.
    pub(super) fn load_shown(&self) -> std::io::Result<i32> {
        super::sys::load_showing_filter(&self.0)
    }

    /// Loads the filter into this process, for good. `no_new_privs` must be set.
    pub(crate) fn load(&self) -> std::io::Result<()> {
        super::sys::load_filter(&self.0)
    }
}

/// The entries of one system call number.
fn rules(group: &[Refused], refuse: u32) -> Vec<sock_filter> {
    let mut body: Vec<sock_filter> = Vec::new();
    for call in group {
        let refusal = answer(if call.absent { ABSENT } else { refuse });
        body.extend(condition(call.when));
        body.push(refusal);
    }
    if group.iter().all(|call| call.when != When::Always) {
        body.push(answer(ALLOW));
    }
    let length = u8::try_from(body.len()).expect("one call has a few rules only");
    let mut all = vec![jump(JUMP_EQ, group[0].number as u32, 0, length)];
    all.extend(body);
    all
}

/// Instructions that step over the next one, the refusal, unless it is due.
fn condition(when: When) -> Vec<sock_filter> {
    match when {
        When::Always => Vec::new(),
        When::AnyBit(argument, mask) => {
            vec![load_argument(argument), jump(JUMP_SET, mask as u32, 0, 1)]
        }
        When::OneOf(argument, values) => {
            let mut code = vec![load_argument(argument)];
            for (index, &value) in values.iter().enumerate() {
                let left = (values.len() - 1 - index) as u8;
                // The last one that differs steps over the refusal, any that is equal goes to it.
                code.push(jump(JUMP_EQ, value as u32, left, u8::from(left == 0)));
            }
            code
        }
        When::NoneOf(argument, values) => {
            let mut code = vec![load_argument(argument)];
            for (index, &value) in values.iter().enumerate() {
                let left = (values.len() - 1 - index) as u8;
                code.push(jump(JUMP_EQ, value as u32, left + 1, 0));
            }
            code
        }
        When::FirstIsThirdIsNot(first, third) => vec![
            load_argument(0),
            jump(JUMP_EQ, first as u32, 0, 3),
            load_argument(2),
            jump(JUMP_EQ, third as u32, 1, 0),
        ],
    }
}

fn load(offset: u32) -> sock_filter {
    sock_filter { code: LOAD, jt: 0, jf: 0, k: offset }
}

/// The low 32 bits of an argument; all supported architectures are little-endian.
fn load_argument(index: u8) -> sock_filter {
    load(ARGUMENTS + 8 * u32::from(index))
}

fn jump(code: u16, value: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter { code, jt: if_true, jf: if_false, k: value }
}

fn answer(action: u32) -> sock_filter {
    sock_filter { code: RETURN, jt: 0, jf: 0, k: action }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel does.
    fn run(filter: &Filter, architecture: u32, number: i64, arguments: [u64; 3]) -> u32 {
        let (mut at, mut value) = (0usize, 0u32);
        for _ in 0..1000 {
            let step = filter.0[at];
            let taken = match step.code {
                LOAD => {
                    value = match step.k {
                        NUMBER => number as u32,
                        ARCHITECTURE => architecture,
                        offset => arguments[(offset - ARGUMENTS) as usize / 8] as u32,
                    };
                    at += 1;
                    continue;
                }
                RETURN => return step.k,
                JUMP_EQ => value == step.k,
                JUMP_GT => value > step.k,
                JUMP_GE => value >= step.k,
                JUMP_SET => value & step.k != 0,
                other => panic!("unknown instruction {other}"),
            };
            at += 1 + usize::from(if taken { step.jt } else { step.jf });
        }
        panic!("the program does not end")
    }

    #[test]
    fn every_listed_call_and_no_other_is_refused() {
        let filter = Filter::compile(&[]);
        for number in 0..600 {
            let listed: Vec<_> = refused().filter(|call| call.number == number).collect();
            let got = run(&filter, NATIVE, number, [0; 3]);
            match listed.as_slice() {
                [] => assert_eq!(got, ALLOW, "{number}"),
                [call] if call.when == When::Always => {
                    assert_eq!(got, if call.absent { ABSENT } else { REFUSE }, "{}", call.name);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn arguments_decide_where_the_list_says_so() {
        let filter = Filter::compile(&[]);
        let new_user = libc::CLONE_NEWUSER as u64;
        for (number, arguments, want) in [
            (libc::SYS_clone, [libc::SIGCHLD as u64, 0, 0], ALLOW),
            (libc::SYS_clone, [new_user | libc::SIGCHLD as u64, 0, 0], REFUSE),
            (libc::SYS_unshare, [libc::CLONE_FILES as u64, 0, 0], ALLOW),
            (libc::SYS_unshare, [libc::CLONE_NEWNS as u64, 0, 0], REFUSE),
            (libc::SYS_socket, [1, 1, 0], ALLOW),
            (libc::SYS_socket, [16, 3, 0], ALLOW),
            (libc::SYS_socket, [16, 3, 15], REFUSE),
            (libc::SYS_socket, [40, 1, 0], REFUSE),
            (libc::SYS_ptrace, [0, 0, 0], ALLOW),
            (libc::SYS_ptrace, [16, 1, 0], REFUSE),
            (libc::SYS_ptrace, [0x4206, 1, 0], REFUSE),
            (libc::SYS_ioctl, [0, 0x5412, 0], REFUSE),
            (libc::SYS_ioctl, [0, 0x541c, 0], REFUSE),
            (libc::SYS_ioctl, [0, 0x5413, 0], ALLOW),
        ] {
            assert_eq!(run(&filter, NATIVE, number, arguments), want, "{number} {arguments:x?}");
        }
    }

    #[test]
    fn other_interfaces_are_closed_and_allowed_calls_open() {
        let filter = Filter::compile(&["mount".into()]);
        assert_eq!(run(&filter, 0x4000_0003, 20, [0; 3]), libc::SECCOMP_RET_KILL_PROCESS);
        assert_eq!(run(&filter, NATIVE, libc::SYS_mount, [0; 3]), ALLOW);
        if cfg!(target_arch = "x86_64") {
            assert_eq!(run(&filter, NATIVE, 0x4000_0000 | libc::SYS_umount2, [0; 3]), ABSENT);
        }
    }
}
