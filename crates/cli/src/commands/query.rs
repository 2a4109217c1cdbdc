//! `bitzel query`, `cquery` and `aquery`: questions about recipes and tasks.

use crate::arguments::ConfigArguments;
use crate::session::Session;
use anyhow::{Context, Result};
use bitzel_query::{Flavour, InfoDetails, Output, QueryEnv, RecipeDetails, RecipeEnv, TaskDetails, TaskEnv};
use bitzel_taskgraph::{Recipe, ResolveOptions, Signatures, TaskIx};
use bitzel_workspace::{Plan, PlanOptions};
use std::cell::RefCell;
use std::collections::HashMap;
use std::process::ExitCode;

/// Options of the query commands.
#[derive(clap::Args)]
pub struct Arguments {
    /// The question, in Bazel's query language over recipes and tasks
    query: String,
    /// How to print the answer
    #[arg(long, value_name = "FORM", default_value = "label")]
    output: String,
    /// aquery: the tasks asked about are those these targets need
    #[arg(long, value_name = "TARGET", default_values_t = ["universe".to_owned()])]
    universe: Vec<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Answers a question about recipes.
pub fn recipes(arguments: &Arguments, flavour: Flavour) -> Result<ExitCode> {
    let output: Output = arguments.output.parse()?;
    let session = Session::load(&arguments.config)?;
    let index = &session.recipes.index;
    let words: Vec<String> = match flavour {
        Flavour::Query => vec!["universe".to_owned()],
        _ => vec!["mc:*:universe".to_owned()],
    };
    let resolution = index.resolve(index.targets(&words, "do_build")?, &ResolveOptions::default());
    let details = Details::new(&session);
    let env = RecipeEnv::new(index, &resolution, &details, flavour);
    answer(&env, arguments, output)
}

/// Answers a question about tasks.
pub fn tasks(arguments: &Arguments) -> Result<ExitCode> {
    let output: Output = arguments.output.parse()?;
    let session = Session::load(&arguments.config)?;
    let options = PlanOptions { targets: arguments.universe.clone(), ..PlanOptions::default() };
    // What cannot be built is no task to ask about.
    let plan = session.plan_possible(&options)?;
    let signatures = session.sign(&plan)?;
    let details = Details::new(&session);
    let of_tasks = OfTasks { session: &session, plan: &plan, signatures: &signatures };
    let env = TaskEnv::new(&session.recipes.index, &plan.graph, &details, Some(&of_tasks));
    answer(&env, arguments, output)
}

fn answer(env: &dyn QueryEnv, arguments: &Arguments, output: Output) -> Result<ExitCode> {
    let result = bitzel_query::query(env, &arguments.query)?;
    let mut text = String::new();
    bitzel_query::print(env, &result, output, &mut text).context("printing the answer")?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// Variables that a recipe's record does not hold are asked of a host, each once.
struct Details<'a> {
    session: &'a Session,
    known: RefCell<HashMap<(String, String), Option<String>>>,
}

impl<'a> Details<'a> {
    fn new(session: &'a Session) -> Details<'a> {
        Details { session, known: RefCell::default() }
    }

    fn ask(&self, recipe: &Recipe, name: &str) -> Result<Option<String>> {
        let mut arguments = vec![name.to_owned(), String::new(), "value".to_owned()];
        arguments.extend(self.session.recipe_arguments(&recipe.id)?);
        let text = self.session.call("getvar", arguments)?;
        Ok(text.strip_suffix('\n').map(str::to_owned))
    }
}

impl RecipeDetails for Details<'_> {
    fn variable(&self, recipe: &Recipe, name: &str) -> Option<String> {
        if let Some(value) = InfoDetails.variable(recipe, name) {
            return Some(value);
        }
        let key = (recipe.id.to_string(), name.to_owned());
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let value = match self.ask(recipe, name) {
            Ok(value) => value,
            Err(error) => {
                eprintln!("WARNING: {} of {}: {error}", name, recipe.id);
                None
            }
        };
        self.known.borrow_mut().insert(key, value.clone());
        value
    }

    fn files_read(&self, recipe: &Recipe) -> Vec<String> {
        self.session.recipes.files_read(&recipe.id)
    }
}

/// Hashes and stamps of tasks.
struct OfTasks<'a> {
    session: &'a Session,
    plan: &'a Plan,
    signatures: &'a Signatures,
}

impl TaskDetails for OfTasks<'_> {
    fn property(&self, task: TaskIx, name: &str) -> Option<String> {
        let signature = self.signatures.get(task);
        match name {
            "task" => Some(self.plan.graph.task_name(task).to_owned()),
            "basehash" => Some(signature.base.as_str().to_owned()),
            "taskhash" => Some(signature.task_hash.as_str().to_owned()),
            "unihash" => Some(signature.unihash.as_str().to_owned()),
            _ => None,
        }
    }

    fn outputs(&self, task: TaskIx) -> Vec<String> {
        let index = &self.session.recipes.index;
        let info = index.find(self.plan.graph.recipe(task)).map(|ix| &index.recipe(ix).info);
        let name = self.plan.graph.task_name(task);
        let unihash = self.signatures.get(task).unihash.as_str();
        info.map(|info| format!("{}.{name}.{unihash}", info.stamp)).into_iter().collect()
    }
}
