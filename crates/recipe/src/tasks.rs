//! Tasks of a recipe: adding, deleting, and what is known of them in the end.

use crate::Result;
use bitzel_base::CompatLevel;
use bitzel_data::{DataStore, LogLevel, SetInfo, Value};
use std::rc::Rc;

/// Book-keeping variable that lists the tasks.
const TASKS: &str = "__BBTASKS";

fn task_name(name: &str) -> Rc<str> {
    if name.starts_with("do_") { name.into() } else { format!("do_{name}").into() }
}

/// Names of the tasks added so far.
pub(crate) fn task_list(d: &DataStore) -> Vec<Rc<str>> {
    d.peek(TASKS, Value::list_of_str).unwrap_or_default()
}

fn deps_of(d: &DataStore, task: &str) -> Vec<Rc<str>> {
    d.get_own_flag(task, "deps").map(|deps| deps.list_of_str()).unwrap_or_default()
}

fn set_deps(d: &DataStore, task: &str, deps: Vec<Rc<str>>) -> Result<()> {
    Ok(d.set_flag(task, "deps", Value::strings(deps), &SetInfo { parsing: true, ..SetInfo::default() })?)
}

/// `addtask NAME after .. before ..`. Also `bb.build.addtask`.
pub fn add_task(d: &DataStore, name: &str, after: &[Rc<str>], before: &[Rc<str>]) -> Result<()> {
    let task = task_name(name);
    // BitBake: 2.8 takes the names behind `after` and `before` as they are.
    let exact = d.context().level() < CompatLevel::V2_18;
    let named = |name: &Rc<str>| if exact { name.clone() } else { task_name(name) };
    d.set_flag(&task, "task", Value::Int(1), &SetInfo { parsing: true, ..SetInfo::default() })?;
    if !task_list(d).contains(&task) {
        d.push_to_list(TASKS, Value::Str(task.clone()));
    }
    let mut deps = deps_of(d, &task);
    for entry in after {
        let entry = named(entry);
        if !deps.contains(&entry) {
            deps.push(entry);
        }
    }
    set_deps(d, &task, deps)?;
    for entry in before {
        let entry = named(entry);
        let mut deps = deps_of(d, &entry);
        if !deps.contains(&task) {
            deps.insert(0, task.clone());
            set_deps(d, &entry, deps)?;
        }
    }
    Ok(())
}

/// `deltask NAME`: the task and all edges to it go; what it stood between is not joined.
pub fn delete_task(d: &DataStore, name: &str) -> Result<()> {
    let task = task_name(name);
    let mut tasks = task_list(d);
    if tasks.contains(&task) {
        tasks.retain(|other| *other != task);
        d.set(TASKS, Value::strings(&tasks), &SetInfo::quiet_parsing())?;
    }
    d.delete_flag(&task, "deps", &SetInfo::quiet_parsing());
    d.delete_flag(&task, "task", &SetInfo::quiet_parsing());
    for other in &tasks {
        let mut deps = deps_of(d, other);
        if deps.contains(&task) {
            deps.retain(|dep| *dep != task);
            set_deps(d, other, deps)?;
        }
    }
    Ok(())
}

/// Flags that say what a task depends on or how it behaves, kept in `_task_deps`.
const KEPT_FLAGS: [&str; 11] = [
    "mcdepends",
    "depends",
    "rdepends",
    "deptask",
    "rdeptask",
    "recrdeptask",
    "recideptask",
    "nostamp",
    "fakeroot",
    "noexec",
    "umask",
];

/// Texts by task, in the order of the tasks.
type Texts = Vec<(Rc<str>, Rc<str>)>;

/// Collects `tasks` and their flags into `_task_deps`.
pub(crate) fn collect_tasks(tasks: &[Rc<str>], d: &DataStore) -> Result<()> {
    let mut names: Vec<Rc<str>> = Vec::new();
    let mut parents: Vec<(Rc<str>, Value)> = Vec::new();
    let mut kept: Vec<(&str, Texts)> = KEPT_FLAGS.iter().map(|flag| (*flag, Vec::new())).collect();
    for task in tasks {
        let task = d.expand(task)?;
        if names.contains(&task) {
            continue;
        }
        names.push(task.clone());
        d.set_flag(&task, "task", Value::Int(1), &SetInfo { parsing: true, ..SetInfo::default() })?;
        for (flag, texts) in &mut kept {
            let Some(value) = d.get_flag(&task, flag, true)? else { continue };
            let text: Rc<str> = match value {
                Value::Str(text) => text,
                Value::Int(number) => number.to_string().into(),
                _ => continue,
            };
            if matches!(*flag, "nostamp" | "fakeroot" | "noexec") && &*text != "1" {
                d.context().interp().log(
                    LogLevel::Warning,
                    &format!(
                        "In a future version of BitBake, setting the '{flag}' flag to something other than '1' will result in the flag not being set. See YP bug #13808."
                    ),
                );
            }
            texts.push((task.clone(), text));
        }
        let mut deps: Vec<Rc<str>> = Vec::new();
        for dep in deps_of(d, &task) {
            let dep = d.expand(&dep)?;
            if !deps.contains(&dep) {
                deps.push(dep);
            }
        }
        parents.push((task, Value::strings(deps)));
    }
    let map = |entries: Vec<(Rc<str>, Value)>| Value::Map(Rc::new(entries));
    let mut result: Vec<(Rc<str>, Value)> =
        vec![("tasks".into(), Value::strings(&names)), ("parents".into(), map(parents))];
    // BitBake: a recipe without tasks has no entries for their flags either.
    for (flag, texts) in kept.into_iter().filter(|_| !tasks.is_empty()) {
        result.push((
            flag.into(),
            map(texts.into_iter().map(|(task, text)| (task, Value::Str(text))).collect()),
        ));
    }
    Ok(d.set("_task_deps", map(result), &SetInfo { parsing: true, ..SetInfo::default() })?)
}
