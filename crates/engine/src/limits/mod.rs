//! When not to start more tasks: pressure, load, disks that fill up.

mod disk;
mod pressure;

pub(crate) use disk::{DiskAction, DiskMonitor};
pub(crate) use pressure::Pressure;
