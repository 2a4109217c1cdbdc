//! Export of a task as an OCI bundle: a directory that any OCI runtime (crun,
//! runc, youki) runs with the same file tree, powers and result.

use crate::limits::Resource;
use crate::plan::{Ids, Node, Origin, Plan};
use crate::sandbox::{Refused, When, ids, refused};
use crate::spec::{Access, Identity, TaskSpec};
use crate::{Error, HostView};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes the bundle of a task into `bundle`, a directory that is made and
/// must not exist yet. Run it by `crun run --bundle BUNDLE NAME`.
///
/// # Errors
/// [`Error::Spec`] for a task without a command or with unusable paths,
/// [`Error::Io`] if the bundle cannot be written.
pub fn export_bundle(spec: &TaskSpec, host: &HostView, bundle: &Path) -> Result<(), Error> {
    if spec.argv.is_empty() {
        let message = "only tasks that run a command can be exported".to_owned();
        return Err(Error::Spec { task: spec.name.clone(), message });
    }
    let me = Ids { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
    // As root builds where ids of mounts cannot be mapped: runtimes differ in whether they can.
    let inside = ids::Mapping::choose(Identity::User, me, false).inside();
    let plan = Plan::new(spec, host, inside)?;
    let io = |action: &'static str, path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    };
    let root = bundle.join("rootfs");
    std::fs::create_dir(bundle).map_err(io("create", bundle))?;
    std::fs::create_dir(&root).map_err(io("create", &root))?;
    let empty = bundle.join("empty");
    std::fs::write(&empty, "").map_err(io("create", &empty))?;
    lay_out(&plan, &root).map_err(|(path, source)| Error::Io { action: "create", path, source })?;
    let file = bundle.join("config.json");
    let text = serde_json::to_string_pretty(&configuration(spec, &plan, (inside, me), &empty))
        .expect("configurations hold nothing JSON cannot");
    std::fs::write(&file, text + "\n").map_err(io("write", &file))
}

/// Mount points, links and made-up files of the root, which will be read-only.
fn lay_out(plan: &Plan, root: &Path) -> Result<(), (PathBuf, std::io::Error)> {
    for (path, node) in &plan.nodes {
        let inside = root.join(path.strip_prefix("/").expect("plans hold absolute paths only"));
        let covered = path.ancestors().skip(1).any(|dir| {
            matches!(plan.nodes.get(dir), Some(Node::Bind { .. } | Node::Tmpfs { .. } | Node::Empty { .. }))
        });
        if covered {
            continue;
        }
        let made = match node {
            Node::Bind { is_dir: true, .. } | Node::Empty { is_dir: true } => {
                std::fs::create_dir_all(&inside)
            }
            Node::Tmpfs { .. } | Node::Proc | Node::Pts => std::fs::create_dir_all(&inside),
            _ => parents(&inside).and_then(|()| match node {
                Node::Link(target) => std::os::unix::fs::symlink(target, &inside),
                Node::File(text) => std::fs::write(&inside, text),
                _ => std::fs::write(&inside, ""),
            }),
        };
        made.map_err(|error| (inside, error))?;
    }
    Ok(())
}

fn parents(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

fn configuration(spec: &TaskSpec, plan: &Plan, (inside, me): (Ids, Ids), empty: &Path) -> Value {
    let mut namespaces = vec!["user", "mount", "pid", "ipc", "uts"];
    if !spec.network.is_host() {
        namespaces.push("network");
    }
    let namespaces: Vec<Value> = namespaces.into_iter().map(|kind| json!({ "type": kind })).collect();
    let env: Vec<String> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut process = json!({
        "terminal": spec.interactive,
        "user": { "uid": inside.uid, "gid": inside.gid },
        "args": spec.argv,
        "env": env,
        "cwd": spec.cwd,
        "noNewPrivileges": true,
        "capabilities": { "bounding": [], "effective": [], "permitted": [], "inheritable": [], "ambient": [] },
        "rlimits": rlimits(spec),
    });
    if let Some(mask) = spec.umask {
        process["user"]["umask"] = json!(mask);
    }
    json!({
        "ociVersion": "1.0.2",
        "hostname": "localhost",
        "root": { "path": "rootfs", "readonly": true },
        "process": process,
        "mounts": mounts(plan, empty),
        "annotations": { "org.bitzel.task": spec.name },
        "linux": {
            "namespaces": namespaces,
            "uidMappings": [{ "containerID": inside.uid, "hostID": me.uid, "size": 1 }],
            "gidMappings": [{ "containerID": inside.gid, "hostID": me.gid, "size": 1 }],
            "resources": resources(spec),
            "seccomp": seccomp(spec),
        },
    })
}

fn mounts(plan: &Plan, empty: &Path) -> Vec<Value> {
    let mut mounts = Vec::new();
    for (path, node) in &plan.nodes {
        let (kind, source, options) = match node {
            Node::Bind { real, access, from, .. } => {
                let mut options = vec!["rbind".to_owned(), "nosuid".to_owned()];
                options.push(if *access == Access::Write { "rw" } else { "ro" }.to_owned());
                if *from != Origin::Device {
                    options.push("nodev".to_owned());
                }
                ("bind", real.as_path(), options)
            }
            Node::Empty { is_dir: true } => {
                ("tmpfs", Path::new("tmpfs"), words(&["ro", "nosuid", "nodev", "mode=555"]))
            }
            Node::Empty { is_dir: false } => ("bind", empty, words(&["bind", "ro", "nosuid", "nodev"])),
            Node::Tmpfs { mode, size, files } => {
                let options = format!("nosuid,nodev,mode={mode:o},size={size},nr_inodes={files}");
                ("tmpfs", Path::new("tmpfs"), options.split(',').map(str::to_owned).collect())
            }
            Node::Proc => ("proc", Path::new("proc"), words(&["nosuid", "noexec", "nodev"])),
            Node::Pts => {
                ("devpts", Path::new("devpts"), words(&["nosuid", "noexec", "newinstance", "ptmxmode=0666"]))
            }
            Node::Link(_) | Node::File(_) => continue,
        };
        mounts.push(json!({ "destination": path, "type": kind, "source": source, "options": options }));
    }
    mounts
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn rlimits(spec: &TaskSpec) -> Vec<Value> {
    let limit = |name: &str, value: u64| json!({ "type": name, "soft": value, "hard": value });
    let file_size = spec.limits.get(Resource::FileSize).map(|size| limit("RLIMIT_FSIZE", size));
    let cpu = spec.limits.get(Resource::CpuTime).map(|time| limit("RLIMIT_CPU", time.div_ceil(1000)));
    [Some(limit("RLIMIT_CORE", 0)), file_size, cpu].into_iter().flatten().collect()
}

fn resources(spec: &TaskSpec) -> Value {
    let mut resources = json!({});
    if let Some(memory) = spec.limits.get(Resource::Memory) {
        resources["memory"] = json!({ "limit": memory });
    }
    if let Some(pids) = spec.limits.get(Resource::Pids) {
        resources["pids"] = json!({ "limit": pids });
    }
    if let Some(cpus) = spec.limits.get(Resource::Cpus) {
        resources["cpu"] = json!({ "quota": cpus * 100, "period": 100_000 });
    }
    resources
}

fn seccomp(spec: &TaskSpec) -> Value {
    let entry = |call: &Refused, args: Vec<Value>| {
        let errno = if call.absent { libc::ENOSYS } else { libc::EPERM };
        json!({ "names": [call.name], "action": "SCMP_ACT_ERRNO", "errnoRet": errno, "args": args })
    };
    let is = |index: u8, value: u64, op: &str| json!({ "index": index, "value": value, "op": op });
    let mut calls = Vec::new();
    for call in refused().filter(|call| !spec.syscalls.iter().any(|name| name == call.name)) {
        match call.when {
            When::Always => calls.push(entry(call, Vec::new())),
            When::AnyBit(index, mask) => {
                for bit in (0..64).map(|bit| 1u64 << bit).filter(|bit| mask & bit != 0) {
                    let masked =
                        json!({ "index": index, "value": bit, "valueTwo": bit, "op": "SCMP_CMP_MASKED_EQ" });
                    calls.push(entry(call, vec![masked]));
                }
            }
            When::OneOf(index, values) => {
                calls.extend(values.iter().map(|&value| entry(call, vec![is(index, value, "SCMP_CMP_EQ")])));
            }
            // libseccomp takes one condition per argument and entry: one for each value that is not listed.
            When::NoneOf(index, values) => {
                let last = values.iter().max().copied().unwrap_or(0);
                let gaps = (0..last).filter(|value| !values.contains(value));
                calls.extend(gaps.map(|value| entry(call, vec![is(index, value, "SCMP_CMP_EQ")])));
                calls.push(entry(call, vec![is(index, last, "SCMP_CMP_GT")]));
            }
            When::FirstIsThirdIsNot(first, third) => {
                calls.push(entry(call, vec![is(0, first, "SCMP_CMP_EQ"), is(2, third, "SCMP_CMP_NE")]));
            }
        }
    }
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": calls })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    #[test]
    fn a_bundle_says_what_the_sandbox_does() {
        let top = std::env::temp_dir().join(format!("bitzel-oci-{}", std::process::id()));
        std::fs::create_dir_all(top.join("work/own")).unwrap();
        let top = top.canonicalize().unwrap();
        let spec = TaskSpec {
            name: "a:do_b".into(),
            argv: vec!["sh".into()],
            cwd: top.join("work"),
            writable: vec![top.join("work")],
            read_only: vec![top.join("work/own")],
            network: Network::None,
            ..TaskSpec::default()
        };
        export_bundle(&spec, &HostView::probe(), &top.join("bundle")).unwrap();
        let text = std::fs::read_to_string(top.join("bundle/config.json")).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(config["process"]["noNewPrivileges"], true);
        assert_eq!(config["root"]["readonly"], true);
        let mounts = config["mounts"].as_array().unwrap();
        let options = |path: PathBuf| {
            let path = path.to_str().unwrap().to_owned();
            let mount = mounts.iter().find(|mount| mount["destination"] == path.as_str()).unwrap();
            mount["options"]
                .as_array()
                .unwrap()
                .iter()
                .map(|o| o.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert!(options(top.join("work")).contains(&"rw".to_owned()));
        assert!(options(top.join("work/own")).contains(&"ro".to_owned()));
        let namespaces = config["linux"]["namespaces"].as_array().unwrap();
        assert!(namespaces.contains(&json!({ "type": "network" })));
        let calls = config["linux"]["seccomp"]["syscalls"].as_array().unwrap();
        assert!(calls.iter().any(|call| call["names"][0] == "mount" && call["errnoRet"] == libc::EPERM));
        let missing = TaskSpec { argv: Vec::new(), ..spec };
        assert!(export_bundle(&missing, &HostView::probe(), &top.join("other")).is_err());
        std::fs::remove_dir_all(top).unwrap();
    }
}
