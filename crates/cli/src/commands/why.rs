//! `bitzel why`: what changed since a task ran last, where, and how it reaches the task.

use crate::arguments::ConfigArguments;
use crate::commands::sigfiles::find;
use crate::commands::signatures::runtime_parts;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use bitzel_base::{RecipeId, SourceLoc};
use bitzel_recipe::protocol::{Reply, Request, SignatureOrder, TaskSignatureParts};
use bitzel_taskgraph::{Change, SigFinder, Siginfo, Signatures, TaskIx, Why, read_siginfo, task_name, why};
use bitzel_workspace::{Plan, PlanOptions, SignatureFiles};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `why`.
#[derive(clap::Args)]
pub struct Arguments {
    /// RECIPE or RECIPE:TASK; the task is do_build where none is named
    task: String,
    /// Compare with this siginfo or sigdata file instead of the task's last run
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Explains.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let session = Session::load(&arguments.config)?;
    let (name, task) = match arguments.task.rsplit_once(':') {
        Some((name, task)) if !name.is_empty() && name != "mc" => (name, task_name(task)),
        _ => (arguments.task.as_str(), "do_build".to_owned()),
    };
    let (id, task) = find(&session, name, &task)?;
    let options = PlanOptions { targets: vec![format!("{name}:{task}")], ..PlanOptions::default() };
    let plan = session.plan(&options)?;
    let signatures = session.sign(&plan)?;
    let Some(ix) = plan.graph.find(&id, &task) else { bail!("{id} has no task {task}") };
    let current = signatures.get(ix).unihash.as_str().to_owned();
    let files = SignatureFiles::new(&session.recipes);
    let before = match &arguments.against {
        Some(path) => path.clone(),
        None => match files.of_task(&id, &task).into_iter().next() {
            None => {
                println!(
                    "{name}:{task} never ran here: there is no signature file beside its stamp or in SSTATE_DIR."
                );
                return Ok(ExitCode::SUCCESS);
            }
            Some(last) if last.hash == current => {
                println!("{name}:{task} is up to date: its hash is that of its last run ({current}).");
                return Ok(ExitCode::SUCCESS);
            }
            Some(last) => last.path,
        },
    };
    let old = read_siginfo(&before)?;
    let mut finder = Finder::new(&session, &plan, &signatures, &files)?;
    let new = finder.current(ix)?;
    let pn = &session.recipes.index.recipe(session.recipes.index.find(&id).context("it was found")?).info.pn;
    let answer = why(&format!("{pn}:{task}"), &old, &new, &mut finder);
    if let Some(error) = finder.failure {
        return Err(error);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&json(&before, &answer))?);
    } else {
        println!("Compared with {}:\n{answer}", before.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Signatures of this moment come from a host, older ones from files.
struct Finder<'a> {
    session: &'a Session,
    plan: &'a Plan,
    signatures: &'a Signatures,
    files: &'a SignatureFiles<'a>,
    /// `PN:TASK` to tasks of the plan.
    tasks: HashMap<String, TaskIx>,
    folder: tempfile::TempDir,
    /// The first thing that went wrong while looking.
    failure: Option<anyhow::Error>,
}

impl<'a> Finder<'a> {
    fn new(
        session: &'a Session,
        plan: &'a Plan,
        signatures: &'a Signatures,
        files: &'a SignatureFiles<'a>,
    ) -> Result<Finder<'a>> {
        let index = &session.recipes.index;
        let name = |task: TaskIx| {
            let id = plan.graph.recipe(task);
            let pn = index.find(id).map_or("", |ix| index.recipe(ix).info.pn.as_str());
            let mc = if id.mc.is_empty() { String::new() } else { format!("mc:{}:", id.mc) };
            format!("{mc}{pn}:{}", plan.graph.task_name(task))
        };
        let tasks = plan.graph.tasks().map(|task| (name(task), task)).collect();
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        Ok(Finder { session, plan, signatures, files, tasks, folder, failure: None })
    }

    /// The signature a task has now.
    fn current(&self, task: TaskIx) -> Result<Siginfo> {
        let id = self.plan.graph.recipe(task);
        let path = self.folder.path().join(format!("{}", task.0));
        let parts = TaskSignatureParts {
            task: self.plan.graph.task_name(task).to_owned(),
            runtime: runtime_parts(self.session, self.plan, self.signatures, task)?,
            path: path.to_str().context("the temporary folder's name is UTF-8")?.to_owned(),
        };
        let address = self.session.recipes.address(id).with_context(|| format!("{id} was not evaluated"))?;
        let order = SignatureOrder { address, tasks: vec![parts] };
        match self.session.ask(&Request::WriteSignatures(order))? {
            Reply::Done => Ok(read_siginfo(&path)?),
            _ => bail!("unexpected answer of the host"),
        }
    }

    fn recipe(&self, task: &str) -> Option<(RecipeId, String)> {
        let (name, task) = task.rsplit_once(':')?;
        find(self.session, name, task).ok()
    }

    fn look(&self, task: &str, hash: &str) -> Result<Option<Siginfo>> {
        if let Some(&ix) = self.tasks.get(task)
            && self.signatures.get(ix).unihash.as_str() == hash
        {
            return self.current(ix).map(Some);
        }
        let Some((id, name)) = self.recipe(task) else { return Ok(None) };
        let path = self.files.with_hash(&id, &name, hash);
        path.map(|path| read_siginfo(&path)).transpose().map_err(Into::into)
    }

    fn history(&self, task: &str, variable: &str) -> Result<Option<SourceLoc>> {
        let Some((id, _)) = self.recipe(task) else { return Ok(None) };
        let mut arguments = vec![variable.to_owned()];
        arguments.extend(self.session.recipe_arguments(&id)?);
        let text = self.session.call_with_history("place", arguments)?;
        Ok(text.rsplit_once(':').and_then(|(file, line)| Some(SourceLoc::new(file, line.parse().ok()?))))
    }
}

impl SigFinder for Finder<'_> {
    fn signature(&mut self, task: &str, hash: &str) -> Option<Siginfo> {
        self.look(task, hash).unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            None
        })
    }

    fn place(&mut self, task: &str, variable: &str) -> Option<SourceLoc> {
        self.history(task, variable).unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            None
        })
    }
}

fn json(before: &Path, answer: &Why) -> serde_json::Value {
    let change = |change: &Change| match change {
        Change::Variable { name, old, new, place } => serde_json::json!({
            "variable": name, "old": old, "new": new, "place": place.as_ref().map(ToString::to_string),
        }),
        other => serde_json::json!({ "text": other.to_string() }),
    };
    let causes: Vec<_> = answer
        .causes
        .iter()
        .map(|cause| {
            let changes: Vec<_> = cause.changes.iter().map(change).collect();
            serde_json::json!({ "chain": cause.chain, "changes": changes })
        })
        .collect();
    serde_json::json!({ "against": before, "causes": causes })
}
