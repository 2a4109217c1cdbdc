//! Evaluating all recipes of a build directory, from the cache where it holds.

use crate::Result;
use crate::build_dir::BuildDir;
use crate::cache::RecipeCache;
use crate::watch::Watch;
use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_host::{Error as HostError, Host};
use bitzel_recipe::RecipeFile;
use bitzel_recipe::protocol::{Configuration, Evaluated, Reply, Request};

/// What became of one recipe file.
pub struct Outcome {
    /// Multiconfig.
    pub mc: String,
    /// The file.
    pub file: RecipeFile,
    /// Its variants, or why there are none.
    pub result: std::result::Result<Evaluated, String>,
}

/// All recipes of a build directory.
pub struct Evaluation {
    /// The configurations, default one first.
    pub configurations: Vec<Configuration>,
    /// In order of configurations and files.
    pub outcomes: Vec<Outcome>,
    /// Files whose records came from the cache.
    pub cached: usize,
    /// Files evaluated now.
    pub parsed: usize,
}

impl Evaluation {
    /// Evaluates everything, without looking at the cache or changing it.
    pub fn run_anew(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Evaluation> {
        let mut host = build_dir.start_host(evaluators())?;
        let configurations = host.configure(build_dir.configure.clone())?;
        let unknown = |mc: &str, file: &RecipeFile| Outcome {
            mc: mc.to_owned(),
            file: file.clone(),
            result: Err(String::new()),
        };
        let mut outcomes: Vec<Outcome> =
            configurations.iter().flat_map(|c| c.recipes.iter().map(|file| unknown(&c.mc, file))).collect();
        let open: Vec<usize> = (0..outcomes.len()).collect();
        evaluate(&mut host, &mut outcomes, &open, watch)?;
        Ok(Evaluation { cached: 0, parsed: outcomes.len(), configurations, outcomes })
    }

    /// Evaluates what the cache does not know.
    pub fn run(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Evaluation> {
        let mut cache = RecipeCache::open(build_dir, watch);
        if let Some(evaluation) = cache.complete() {
            return Ok(evaluation);
        }
        let mut host = build_dir.start_host(evaluators())?;
        let configurations = host.configure(build_dir.configure.clone())?;
        cache.use_configurations(&configurations);
        let mut outcomes = Vec::new();
        let mut open = Vec::new();
        for configuration in &configurations {
            for file in &configuration.recipes {
                let known = cache.take(&configuration.mc, file);
                let result = known.ok_or_else(String::new);
                if result.is_err() {
                    open.push(outcomes.len());
                }
                outcomes.push(Outcome { mc: configuration.mc.clone(), file: file.clone(), result });
            }
        }
        let parsed = open.len();
        evaluate(&mut host, &mut outcomes, &open, watch)?;
        let evaluation = Evaluation { cached: outcomes.len() - parsed, configurations, outcomes, parsed };
        cache.save(&evaluation, watch);
        Ok(evaluation)
    }

    /// Errors of files that could not be evaluated, each once.
    pub fn errors(&self) -> Vec<&str> {
        self.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err()).map(String::as_str).collect()
    }

    /// All variants with their records.
    pub fn recipes(&self) -> impl Iterator<Item = (RecipeId, &RecipeInfo, &RecipeFile)> {
        self.outcomes.iter().flat_map(|outcome| {
            let variants = outcome.result.as_ref().map_or(&[][..], |evaluated| &evaluated.variants);
            variants.iter().map(|(variant, info)| {
                let id = RecipeId {
                    mc: outcome.mc.clone(),
                    variant: variant.clone(),
                    file: outcome.file.path.clone(),
                };
                (id, info, &outcome.file)
            })
        })
    }

    /// The line BitBake prints when parsing is done.
    pub fn summary(&self) -> String {
        let variants = self.recipes().count();
        let skipped = self.recipes().filter(|(_, info, _)| info.skipped).count();
        let masked: usize = self.configurations.iter().map(|c| c.masked.len()).sum();
        format!(
            "Parsing of {} .bb files complete ({} cached, {} parsed). {variants} targets, {skipped} skipped, {masked} masked, {} errors.",
            self.outcomes.len(),
            self.cached,
            self.parsed,
            self.errors().len()
        )
    }
}

/// How many processes evaluate.
fn evaluators() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Evaluates the outcomes numbered in `open`, spread over the host's evaluators. A recipe
/// that fails does not stop the others.
fn evaluate(host: &mut Host, outcomes: &mut [Outcome], open: &[usize], watch: &dyn Watch) -> Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    watch.begin("Parsing recipes", open.len());
    let shared: &[Outcome] = outcomes;
    let results = host.spread(usize::MAX, open, |channel, &number| {
        let Outcome { mc, file, .. } = &shared[number];
        let result = match channel.ask(&Request::Evaluate(mc.clone(), file.clone())) {
            Ok(Reply::Evaluated(evaluated)) => Ok(evaluated),
            Ok(_) => return Err(HostError::Confused),
            Err(HostError::Failed(failure)) if failure.message.contains(&file.path) => Err(failure.message),
            Err(HostError::Failed(failure)) => Err(format!("{}: {}", file.path, failure.message)),
            Err(HostError::Died(how)) => {
                return Err(HostError::Died(format!("{how}, while evaluating {}", file.path)));
            }
            Err(other) => return Err(other),
        };
        watch.step();
        Ok(result)
    })?;
    watch.end();
    for (&number, result) in open.iter().zip(results) {
        outcomes[number].result = result;
    }
    Ok(())
}
