//! What the user asks for: target texts and the recipes they stand for.

use crate::error::GraphError;
use crate::index::ProviderIndex;
use std::collections::BTreeMap;

/// One thing to build: a name of PROVIDES in a multiconfig, and a task of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Multiconfig, empty for the default one.
    pub mc: String,
    /// A name of PROVIDES.
    pub name: String,
    /// With `do_`; a trailing `-` asks for what the task depends on only.
    pub task: String,
}

/// `compile` and `do_compile` alike as `do_compile`.
pub fn task_name(text: &str) -> String {
    if text.starts_with("do_") { text.to_owned() } else { format!("do_{text}") }
}

impl ProviderIndex {
    /// What target texts stand for, in order: `NAME`, `NAME:TASK`, `mc:MC:…`,
    /// `multiconfig:MC:…`, `mc:*:…`, `world` and `universe`. `default_task` is
    /// taken where a text names none.
    ///
    /// # Errors
    /// [`GraphError::BadTarget`], [`GraphError::UnknownMulticonfig`].
    pub fn targets<S: AsRef<str>>(&self, texts: &[S], default_task: &str) -> Result<Vec<Target>, GraphError> {
        let mut targets = Vec::new();
        for text in texts {
            self.expand(text.as_ref(), default_task, &mut targets)?;
        }
        Ok(targets)
    }

    fn expand(&self, text: &str, default_task: &str, targets: &mut Vec<Target>) -> Result<(), GraphError> {
        let bad = || GraphError::BadTarget(text.to_owned());
        let (mcs, rest) = match text.strip_prefix("mc:").or_else(|| text.strip_prefix("multiconfig:")) {
            None => (vec![""], text),
            Some(rest) => {
                let (mc, rest) = rest.split_once(':').ok_or_else(bad)?;
                match mc {
                    "*" => (self.multiconfigs().collect(), rest),
                    mc if self.mc(mc).is_some() => (vec![mc], rest),
                    mc => {
                        return Err(GraphError::UnknownMulticonfig {
                            mc: mc.to_owned(),
                            context: text.to_owned(),
                            known: self
                                .multiconfigs()
                                .map(|m| if m.is_empty() { "default" } else { m }.to_owned())
                                .collect(),
                        });
                    }
                }
            }
        };
        let (name, task) = match rest.split_once(':') {
            Some((name, task)) if !task.is_empty() && !task.contains(':') => (name, task),
            Some(_) => return Err(bad()),
            None => (rest, default_task),
        };
        if name.is_empty() {
            return Err(bad());
        }
        let task = task_name(task);
        for mc in mcs {
            let mut names = match name {
                "world" => self.world(mc),
                "universe" => self.provided_names(mc).into_iter().map(str::to_owned).collect(),
                name => vec![name.to_owned()],
            };
            if matches!(name, "world" | "universe") {
                // BitBake: what has no such task is passed over; asked for by name it is an error.
                names.retain(|name| self.has_task(mc, name, task.trim_end_matches('-')));
            }
            targets.extend(names.into_iter().map(|name| Target {
                mc: mc.to_owned(),
                name,
                task: task.clone(),
            }));
        }
        Ok(())
    }

    /// Whether any provider of a name has a task.
    pub fn has_task(&self, mc: &str, name: &str, task: &str) -> bool {
        self.providers(mc, name)
            .iter()
            .any(|&ix| self.recipe(ix).info.task_deps.tasks.iter().any(|own| own == task))
    }

    /// The PNs `world` stands for: recipes without EXCLUDE_FROM_WORLD none of
    /// whose names is `virtual/…` or provided by another PN too.
    pub fn world(&self, mc: &str) -> Vec<String> {
        let Some(tables) = self.mc(mc) else { return Vec::new() };
        let mut pns: BTreeMap<&str, bool> = BTreeMap::new();
        for &ix in tables.by_pn.values().flatten() {
            let info = &self.recipe(ix).info;
            if !info.not_world.is_empty() {
                continue;
            }
            let shared = |name: &String| {
                name.starts_with("virtual/")
                    || self.providers(mc, name).iter().any(|&other| self.recipe(other).info.pn != info.pn)
            };
            *pns.entry(&info.pn).or_default() |= !info.provides.iter().any(shared);
        }
        pns.into_iter().filter(|(_, wanted)| *wanted).map(|(pn, _)| pn.to_owned()).collect()
    }
}
