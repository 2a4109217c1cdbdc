//! Stamps of tasks that are not executed (`[noexec]`).

use crate::queue::{Job, TaskTable};
use crate::{Error, Result};
use std::fs;
use std::path::Path;

/// Writes the stamp of a job and removes those of other hashes, as running it would.
/// BitBake: the stamp of a setscene task leaves those of the task itself alone.
pub(crate) fn write(table: &TaskTable<'_>, job: Job) -> Result<()> {
    if table.is_nostamp(job.task) {
        return Ok(());
    }
    let path = table.stamp(job.task, job.setscene);
    let failed = |cause| Error::Write { path: path.clone(), cause };
    let (folder, base) = split(&path);
    fs::create_dir_all(folder).map_err(failed)?;
    let prefix = format!("{}.{}", split(&table.info(job.task).stamp).1, table.name(job.task));
    let suffix = base.rsplit_once('.').map_or("", |(_, extra)| extra);
    let own_extra = table.bare_stamp(job.task, job.setscene) != path;
    for entry in fs::read_dir(folder).map_err(failed)?.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let Some(rest) = name.strip_prefix(&prefix) else { continue };
        let setscene = rest.strip_prefix("_setscene");
        let Some(rest) = setscene.or((!job.setscene).then_some(rest)) else { continue };
        let kept = name.contains("sigdata") || name.contains("sigbasedata") || name.ends_with(".taint");
        let other_extra = own_extra && !name.ends_with(suffix);
        if rest.starts_with('.') && !kept && !other_extra {
            fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    fs::File::create(&path).map(drop).map_err(failed)
}

fn split(path: &str) -> (&Path, &str) {
    let path = Path::new(path);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (path.parent().unwrap_or_else(|| Path::new(".")), name)
}
