//! `bitbake -S lockedsigs`: the hashes of a build as configuration that fixes them.

use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_taskgraph::Signatures;
use bitzel_workspace::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Writes `locked-sigs.inc` into the working directory.
pub fn write(session: &Session, plan: &Plan, signatures: &Signatures) -> Result<()> {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unihashes = BTreeSet::new();
    for (number, id) in (0u32..).zip(plan.graph.recipes()) {
        let ix = session.recipes.index.find(id).with_context(|| format!("{id} was not evaluated"))?;
        let pn = &session.recipes.index.recipe(ix).info.pn;
        let mut arguments = vec!["SSTATE_PKGARCH".to_owned(), String::new(), "value".to_owned()];
        arguments.extend(session.recipe_arguments(id)?);
        let architecture = session.call("getvar", arguments)?;
        let lines = kinds.entry(format!("t-{}", architecture.trim().replace('_', "-"))).or_default();
        for task in plan.graph.tasks_of(number) {
            let (name, signature) = (plan.graph.task_name(task), signatures.get(task));
            let (hash, unihash) = (signature.task_hash.as_str(), signature.unihash.as_str());
            lines.insert(format!("{pn}:{name}:{hash}"));
            if hash != unihash {
                unihashes.insert(format!("{pn}:{name}:{hash}:{unihash}"));
            }
        }
    }
    let text = text(session.recipes.variable("MACHINE").unwrap_or_default(), &kinds, &unihashes);
    std::fs::write(Path::new("locked-sigs.inc"), text)
        .context("cannot write `locked-sigs.inc` into the working directory; run it where you may write")
}

fn text(machine: &str, kinds: &BTreeMap<String, BTreeSet<String>>, unihashes: &BTreeSet<String>) -> String {
    let list = |words: &BTreeSet<String>| -> String {
        let words: String = words.iter().map(|word| format!("    {word} \\\n")).collect();
        format!("\"\\\n{words}    \"\n")
    };
    let mut text = String::new();
    for (kind, words) in kinds {
        text.push_str(&format!("SIGGEN_LOCKEDSIGS_{kind} = {}", list(words)));
    }
    let names: Vec<&str> = kinds.keys().map(String::as_str).collect();
    text.push_str(&format!("SIGGEN_LOCKEDSIGS_TYPES:{machine} = \"{}\"\n", names.join(" ")));
    text.push_str(&format!("SIGGEN_UNIHASHMAP += {}", list(unihashes)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_bitbakes_form() {
        let kinds = BTreeMap::from([("t-x86-64".to_owned(), BTreeSet::from(["a:do_b:12".to_owned()]))]);
        let unihashes = BTreeSet::from(["a:do_b:12:34".to_owned()]);
        assert_eq!(
            text("qemux86-64", &kinds, &unihashes),
            "SIGGEN_LOCKEDSIGS_t-x86-64 = \"\\\n    a:do_b:12 \\\n    \"\n\
             SIGGEN_LOCKEDSIGS_TYPES:qemux86-64 = \"t-x86-64\"\n\
             SIGGEN_UNIHASHMAP += \"\\\n    a:do_b:12:34 \\\n    \"\n"
        );
    }
}
