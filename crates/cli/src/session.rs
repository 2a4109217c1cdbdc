//! What most commands begin with: the evaluated recipes of the build directory, and a host
//! that is started only if something has to be asked.

use crate::arguments::ConfigArguments;
use crate::commands::bitbake::refuse_errors;
use crate::commands::buildfile;
use crate::progress::Terminal;
use anyhow::{Context, Result, bail};
use bitzel_base::RecipeId;
use bitzel_host::Host;
use bitzel_recipe::protocol::{RecipeAddress, Reply, Request};
use bitzel_taskgraph::{NoEquivalence, Signatures, UniHashSource, task_name};
use bitzel_workspace::{BuildDir, Equivalence, Evaluation, Plan, PlanOptions, Recipes, Signing};
use std::cell::RefCell;

/// A build directory with its recipes.
pub struct Session {
    /// Where.
    pub build_dir: BuildDir,
    /// What there is to build.
    pub recipes: Recipes,
    host: RefCell<Option<Host>>,
    /// A host whose configuration remembers who set what.
    remembering: RefCell<Option<Host>>,
}

impl Session {
    /// Evaluates all recipes; an error in any of them ends the command, after all are told.
    pub fn load(config: &ConfigArguments) -> Result<Session> {
        let (build_dir, evaluation) = evaluated(config)?;
        Ok(Session::with(build_dir, Recipes::new(evaluation)))
    }

    /// As [`Session::load`], with the recipe of a file alone. Gives its PN as well.
    pub fn load_file(config: &ConfigArguments, file: &str) -> Result<(Session, String)> {
        let (build_dir, evaluation) = evaluated(config)?;
        let (evaluation, pn) = buildfile::only(evaluation, file)?;
        Ok((Session::with(build_dir, Recipes::new(evaluation)), pn))
    }

    /// Of recipes that are evaluated already.
    pub fn with(build_dir: BuildDir, recipes: Recipes) -> Session {
        Session { build_dir, recipes, host: RefCell::default(), remembering: RefCell::default() }
    }

    /// Plans what can be built of targets.
    pub fn plan_possible(&self, options: &PlanOptions) -> Result<Plan> {
        let default = self.recipes.variable("BB_DEFAULT_TASK").unwrap_or("build");
        let task = task_name(options.task.as_deref().unwrap_or(default));
        let mut extra =
            |id: &RecipeId, code: &str| self.extra_depends(id, code, &task).map_err(|e| e.to_string());
        Ok(self.recipes.plan(options, &mut extra)?)
    }

    /// Plans targets. What cannot be built of them ends the command.
    pub fn plan(&self, options: &PlanOptions) -> Result<Plan> {
        let plan = self.plan_possible(options)?;
        for notice in &plan.resolution.notices {
            eprintln!("NOTE: {notice}");
        }
        let problems: Vec<String> = plan.resolution.problems.iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            bail!("{}", problems.join("\nERROR: "));
        }
        Ok(plan)
    }

    /// The hashes of a plan's tasks; files that cannot be read are told.
    pub fn sign(&self, plan: &Plan) -> Result<Signatures> {
        self.sign_with(plan, &mut Equivalence::connect(&self.recipes))
    }

    /// As [`Session::sign`], by a connection that is used on.
    pub fn sign_with(&self, plan: &Plan, equivalence: &mut Option<Equivalence>) -> Result<Signatures> {
        let mut random = || uuid::Uuid::new_v4().to_string();
        let signatures = match equivalence {
            None => self.hashes(plan, &mut random, &mut NoEquivalence)?,
            Some(equivalence) => {
                let signatures = self.hashes(plan, &mut random, &mut equivalence.of(&self.recipes, plan))?;
                if let Some(complaint) = equivalence.complaint() {
                    eprintln!("WARNING: {complaint}");
                }
                signatures
            }
        };
        for warning in &signatures.warnings {
            eprintln!("WARNING: {warning}");
        }
        for mismatch in &signatures.mismatches {
            eprintln!("WARNING: {mismatch}");
        }
        Ok(signatures)
    }

    /// The hashes of a plan's tasks with unihashes of `unihashes`; nothing is told.
    pub fn hashes(
        &self,
        plan: &Plan,
        random: &mut dyn FnMut() -> String,
        unihashes: &mut dyn UniHashSource,
    ) -> Result<Signatures> {
        let mut layer =
            |order: String| self.call("sign_tasks", vec![order]).map_err(|error| format!("{error:#}"));
        let mut signing = Signing { level: self.build_dir.level, random, unihashes, layer: &mut layer };
        Ok(self.recipes.sign(plan, &mut signing)?)
    }

    /// Asks a host.
    pub fn ask(&self, request: &Request) -> Result<Reply> {
        self.ask_one_of(&self.host, false, request)
    }

    /// Asks a function of `bitzel_host.commands`.
    pub fn call(&self, function: &str, arguments: Vec<String>) -> Result<String> {
        text(self.ask(&Request::Call(function.to_owned(), arguments))?)
    }

    /// Asks a function of `bitzel_host.commands` that looks at the history of variables.
    pub fn call_with_history(&self, function: &str, arguments: Vec<String>) -> Result<String> {
        let request = Request::Call(function.to_owned(), arguments);
        text(self.ask_one_of(&self.remembering, true, &request)?)
    }

    fn ask_one_of(&self, host: &RefCell<Option<Host>>, history: bool, request: &Request) -> Result<Reply> {
        let mut host = host.borrow_mut();
        if host.is_none() {
            let mut started = self.build_dir.start_host(0)?;
            let mut configure = self.build_dir.configure.clone();
            configure.track_history = history;
            started.configure(configure)?;
            *host = Some(started);
        }
        Ok(host.as_mut().context("the host was just started")?.ask(request)?)
    }

    /// Arguments that name a recipe for functions of `bitzel_host.commands`.
    pub fn recipe_arguments(&self, id: &RecipeId) -> Result<Vec<String>> {
        let RecipeAddress { mc, recipe, variant } =
            self.recipes.address(id).with_context(|| format!("{id} was not evaluated"))?;
        let mut arguments = vec![mc, recipe.path, recipe.layer, variant];
        arguments.extend(recipe.appends);
        Ok(arguments)
    }

    /// What `calculate_extra_depends` adds, where the recipes of world are those with `task`.
    fn extra_depends(&self, id: &RecipeId, code: &str, task: &str) -> Result<Vec<String>> {
        let info = self.recipes.index.find(id).map(|ix| &self.recipes.index.recipe(ix).info);
        let pn = info.map(|info| info.pn.clone()).unwrap_or_default();
        let depends = info.map(|info| info.depends.join(" ")).unwrap_or_default();
        let providers: Vec<String> = self
            .recipes
            .index
            .recipes()
            .iter()
            .filter(|recipe| recipe.id.mc == id.mc && !recipe.info.skipped)
            .map(|recipe| format!("{} {}", recipe.info.pn, recipe.id))
            .collect();
        let mut world = self.recipes.index.world(&id.mc);
        world.retain(|pn| self.recipes.index.has_task(&id.mc, pn, task));
        let answer = self.call(
            "extra_depends",
            vec![code.to_owned(), pn, depends, world.join(" "), providers.join("\n")],
        )?;
        Ok(answer.split_whitespace().map(str::to_owned).collect())
    }
}

fn evaluated(config: &ConfigArguments) -> Result<(BuildDir, Evaluation)> {
    let build_dir = BuildDir::find(&config.choice(), false)?;
    let evaluation = Evaluation::run(&build_dir, &Terminal::default())?;
    refuse_errors(&evaluation)?;
    Ok((build_dir, evaluation))
}

fn text(reply: Reply) -> Result<String> {
    match reply {
        Reply::Text(text) => Ok(text),
        _ => bail!("unexpected answer of the host"),
    }
}
