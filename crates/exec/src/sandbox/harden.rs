//! Takes away what the task must not have: capabilities, new privileges,
//! system calls, and by Landlock a second time the file system.

use super::filter::Filter;
use super::setup::{SetupError, Step};
use crate::plan::{Node, Plan};
use crate::spec::{Identity, Network, TaskSpec};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, Scope,
};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets};
use std::io;
use std::path::Path;

/// What uid 0 of a user namespace of its own keeps, to stand in for pseudo.
const OWNERSHIP: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETFCAP);

/// Hardens this process and all that will come from it. Comes last: after it
/// nothing can be mounted, and only files of `plan` can be opened.
pub(super) fn harden(spec: &TaskSpec, plan: &Plan, filter: &Filter) -> Result<(), SetupError> {
    drop_capabilities(spec.identity).step("drop capabilities")?;
    rustix::thread::set_no_new_privs(true).step("set no_new_privs")?;
    landlock(spec, plan)?;
    filter.load().step("load the seccomp filter")
}

/// Exec gives nothing back: not to uid 0, not by file capabilities, not from
/// the ambient set. A task that plays root does without this, and is held by
/// its bounding set instead.
const SECURE_BITS: CapabilitiesSecureBits = CapabilitiesSecureBits::NO_ROOT
    .union(CapabilitiesSecureBits::NO_ROOT_LOCKED)
    .union(CapabilitiesSecureBits::NO_SETUID_FIXUP)
    .union(CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED)
    .union(CapabilitiesSecureBits::KEEP_CAPS_LOCKED)
    .union(CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE)
    .union(CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED);

fn drop_capabilities(identity: Identity) -> io::Result<()> {
    let kept = match identity {
        Identity::User => {
            rustix::thread::set_capabilities_secure_bits(SECURE_BITS)?;
            CapabilitySet::empty()
        }
        Identity::MappedRoot => {
            for capability in CapabilitySet::all().difference(OWNERSHIP).iter() {
                match rustix::thread::remove_capability_from_bounding_set(capability) {
                    // A newer capability than the kernel's newest.
                    Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            OWNERSHIP
        }
    };
    rustix::thread::clear_ambient_capability_set()?;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    Ok(rustix::thread::set_capabilities(None, sets)?)
}

/// The Landlock version whose features are used; older kernels get what they know.
const NEWEST: ABI = ABI::V6;

/// A second wall behind the mounts, and the only one between a task with the
/// host's network and abstract UNIX sockets or listening. Kernels without
/// Landlock go without: the doctor's report says so.
fn landlock(spec: &TaskSpec, plan: &Plan) -> Result<(), SetupError> {
    let fail = |error: landlock::RulesetError| SetupError {
        step: format!("build the Landlock rules ({error})"),
        errno: libc::EINVAL,
    };
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.scope(Scope::AbstractUnixSocket | Scope::Signal))
        .map_err(fail)?;
    if spec.network == Network::Host {
        ruleset = ruleset.handle_access(AccessNet::BindTcp).map_err(fail)?;
    }
    let all = AccessFs::from_all(NEWEST);
    let mut rules = ruleset.create().map_err(fail)?;
    rules =
        rules.add_rule(PathBeneath::new(open(Path::new("/"))?, AccessFs::from_read(NEWEST))).map_err(fail)?;
    rules = rules.add_rule(PathBeneath::new(open(Path::new("/dev"))?, all)).map_err(fail)?;
    for (path, node) in plan.writable().filter(|(path, _)| !path.starts_with("/dev")) {
        let is_file = matches!(node, Node::Bind { is_dir: false, .. });
        let access = if is_file { all & AccessFs::from_file(NEWEST) } else { all };
        rules = rules.add_rule(PathBeneath::new(open(path)?, access)).map_err(fail)?;
    }
    rules.restrict_self().map_err(fail).map(drop)
}

fn open(path: &Path) -> Result<PathFd, SetupError> {
    PathFd::new(path).map_err(|_| SetupError {
        step: format!("open `{}` for Landlock", path.display()),
        errno: libc::ENOENT,
    })
}
