//! One file for each command.

pub mod affected;
pub mod bitbake;
pub mod build;
pub mod doctor;
pub mod environment;
pub mod export;
pub mod fetch;
pub mod getvar;
pub mod graph;
pub mod kas;
pub mod layers;
pub mod locked_signatures;
pub mod printdiff;
pub mod project;
pub mod python;
pub mod query;
pub mod run_tasks;
pub mod sigfiles;
pub mod signatures;
pub mod versions;
pub mod what_if;
pub mod why;
