//! What a process does to itself to become a task's: session, name, signals, network; and
//! how events of a request reach whoever asked.

use crate::serve::signing_config;
use crate::session::Session;
use bitzel_recipe::protocol::{HostEvent, Reply, write_frame};
use pyo3::prelude::*;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal, setsid};
use rustix::thread::set_name;
use std::ffi::CString;
use std::io;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(leave_network, module)?)?;
    module.add_function(wrap_pyfunction!(send_event, module)?)?;
    module.add_function(wrap_pyfunction!(prepare_signing, module)?)?;
    module.add_function(wrap_pyfunction!(crate::isolation::task_isolation, module)?)?;
    module.add_function(wrap_pyfunction!(crate::isolation::task_data, module)?)?;
    module.add_function(wrap_pyfunction!(crate::siginfo::write_current, module)?)?;
    module.add_function(wrap_pyfunction!(crate::siginfo::base_hashes, module)?)
}

/// Makes the process lead a session of its own, with a name that ps(1) shows, and end with its
/// parent. Gives false if that is gone already.
pub(crate) fn become_leader(name: &str, parent: Pid) -> io::Result<bool> {
    setsid()?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    set_process_name(name)?;
    // Who died before the signal was asked for sends none.
    Ok(getppid() == Some(parent))
}

/// Sets the name that ps(1) shows; the system cuts it after 15 bytes.
pub(crate) fn set_process_name(name: &str) -> io::Result<()> {
    let name = CString::new(name.replace('\0', ""))?;
    Ok(set_name(&name)?)
}

/// `leave_network(uid, gid) -> bool`: moves the process to user and network namespaces of
/// its own, in which it stays the same user; False where that is not allowed.
#[pyfunction]
#[allow(unsafe_code)]
fn leave_network(uid: u32, gid: u32) -> PyResult<bool> {
    // SAFETY: the call takes flags only. The process has one thread, as the kernel demands
    // for a new user namespace, and shares no memory with others.
    if unsafe { libc::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWUSER) } != 0 {
        return Ok(false);
    }
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    Ok(true)
}

/// `send_event(class, fields) -> bool`: tells whoever asked what is being answered of an
/// event; False where nobody did.
#[pyfunction]
fn send_event(py: Python<'_>, class: String, fields: String) -> PyResult<bool> {
    let session = Session::of(py)?;
    let session = session.borrow();
    let listener = session.listener.borrow();
    let Some(mut stream) = listener.as_ref() else { return Ok(false) };
    write_frame(&mut stream, &Reply::Event(HostEvent { class, fields }))?;
    Ok(true)
}

/// `prepare_signing(mc)`: learns the libraries that signatures of a configuration stand on,
/// for all processes forked from now on.
#[pyfunction]
fn prepare_signing(py: Python<'_>, mc: &str) -> PyResult<()> {
    signing_config(py, mc).map(drop)
}
