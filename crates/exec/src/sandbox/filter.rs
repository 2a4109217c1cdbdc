//! Compiles the list of refused system calls into seccomp programs and loads them.

use super::syscalls::{Refused, When, refused};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};
use std::collections::BTreeMap;

/// Compiled filters, ready to be loaded by any number of tasks.
#[derive(Clone, Debug)]
pub(crate) struct Filters(Vec<BpfProgram>);

impl Filters {
    /// Compiles the list without the calls in `allowed`.
    pub(crate) fn compile(allowed: &[String]) -> Filters {
        let kept = |call: &&&Refused| !allowed.iter().any(|name| name == call.name);
        let all: Vec<&Refused> = refused().collect();
        let (absent, denied): (Vec<&Refused>, Vec<&Refused>) =
            all.iter().filter(kept).partition(|call| call.absent);
        let mut programs = Vec::new();
        for (calls, errno) in [(absent, libc::ENOSYS), (denied, libc::EPERM)] {
            if !calls.is_empty() {
                programs
                    .push(program(&calls, errno).expect("the list holds only values a filter can express"));
            }
        }
        if let Some(first) = programs.first_mut() {
            first.splice(0..0, refuse_x32());
        }
        Filters(programs)
    }

    /// Loads the filters into this process, for good. `no_new_privs` must be set.
    pub(crate) fn load(&self) -> Result<(), seccompiler::Error> {
        self.0.iter().try_for_each(|program| seccompiler::apply_filter(program))
    }
}

fn program(calls: &[&Refused], errno: i32) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in calls {
        rules.entry(call.number).or_default().extend(conditions(call.when)?);
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)?.try_into()
}

/// Rules of one call: any of them matching refuses it, none given means always.
fn conditions(when: When) -> Result<Vec<SeccompRule>, BackendError> {
    let is = |arg: u8, op: Op, value: u64| SeccompCondition::new(arg, Len::Dword, op, value);
    match when {
        When::Always => Ok(Vec::new()),
        When::AnyBit(arg, mask) => (0..64)
            .map(|bit| 1u64 << bit)
            .filter(|bit| mask & bit != 0)
            .map(|bit| SeccompRule::new(vec![is(arg, Op::MaskedEq(bit), bit)?]))
            .collect(),
        When::OneOf(arg, values) => {
            values.iter().map(|&value| SeccompRule::new(vec![is(arg, Op::Eq, value)?])).collect()
        }
        When::NoneOf(arg, values) => {
            let all = values.iter().map(|&value| is(arg, Op::Ne, value)).collect::<Result<_, _>>()?;
            Ok(vec![SeccompRule::new(all)?])
        }
        When::FirstIsThirdIsNot(first, third) => {
            Ok(vec![SeccompRule::new(vec![is(0, Op::Eq, first)?, is(2, Op::Ne, third)?])?])
        }
    }
}

/// The x32 interface offers every call a second time under numbers with bit
/// 30 set, past any list of numbers: all of them are absent.
#[cfg(target_arch = "x86_64")]
fn refuse_x32() -> Vec<sock_filter> {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_GE: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    vec![
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_GE, jt: 0, jf: 1, k: 0x4000_0000 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32 },
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn refuse_x32() -> Vec<sock_filter> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_call_leaves_the_program() {
        let size = |allowed: &[String]| Filters::compile(allowed).0.iter().map(Vec::len).sum::<usize>();
        assert!(size(&["ptrace".into()]) < size(&[]));
        assert_eq!(Filters::compile(&["clone3".into()]).0.len(), 1);
    }
}
