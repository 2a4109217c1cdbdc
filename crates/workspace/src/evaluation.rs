//! Evaluating all recipes of a build directory, from the cache where it holds.

use crate::Result;
use crate::build_dir::BuildDir;
use crate::cache::{RecipeCache, count};
use crate::cache_file::{Kept, skipped};
use crate::watch::{Silent, Watch};
use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_host::{Error as HostError, Host};
use bitzel_recipe::RecipeFile;
use bitzel_recipe::protocol::{Configuration, Evaluated, Reply, Request};
use std::fmt;

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

    /// Everything, if the cache knows all of it. No host is started.
    pub fn known(build_dir: &BuildDir) -> Option<Evaluation> {
        Evaluation::complete(&mut RecipeCache::open(build_dir, &Silent), &Silent)
    }

    fn complete(cache: &mut RecipeCache, watch: &dyn Watch) -> Option<Evaluation> {
        let (configurations, kept) = cache.complete()?;
        let records = cache.records(&kept.iter().collect::<Vec<_>>());
        let cached = kept.len();
        let outcome = |(kept, record): (Kept, Option<Evaluated>)| {
            Some(Outcome { mc: kept.mc, file: kept.file, result: Ok(record?) })
        };
        let outcomes: Option<Vec<Outcome>> = kept.into_iter().zip(records).map(outcome).collect();
        if outcomes.is_none() {
            watch.note("the recipe cache is damaged; evaluating anew");
        }
        Some(Evaluation { configurations, outcomes: outcomes?, cached, parsed: 0 })
    }

    /// Evaluates what the cache does not know.
    pub fn run(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Evaluation> {
        let mut cache = RecipeCache::open(build_dir, watch);
        if let Some(evaluation) = Evaluation::complete(&mut cache, watch) {
            return Ok(evaluation);
        }
        let mut work = Work::begin(build_dir, &mut cache)?;
        let records = cache.records(&work.kept.iter().flatten().collect::<Vec<_>>());
        let mut records = records.into_iter();
        for (outcome, kept) in work.outcomes.iter_mut().zip(&mut work.kept) {
            if kept.is_some() {
                match records.next().flatten() {
                    Some(record) => outcome.result = Ok(record),
                    None => *kept = None,
                }
            }
        }
        let parsed = work.finish(&cache, watch)?;
        let Work { configurations, outcomes, .. } = work;
        Ok(Evaluation { cached: outcomes.len() - parsed, configurations, outcomes, parsed })
    }

    /// The same for whoever wants to know no more than whether it works: what the cache knows is
    /// not even read.
    pub fn check(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Parsed> {
        let mut cache = RecipeCache::open(build_dir, watch);
        if let Some((configurations, kept)) = cache.complete() {
            return Ok(count(&configurations, &kept));
        }
        let mut work = Work::begin(build_dir, &mut cache)?;
        let known: Vec<Option<(usize, usize)>> =
            work.kept.iter().map(|kept| kept.as_ref().map(|kept| (kept.variants, kept.skipped))).collect();
        let evaluated = work.finish(&cache, watch)?;
        let mut parsed = Parsed::of(&work.configurations);
        parsed.evaluated = evaluated;
        parsed.cached = known.len() - evaluated;
        for (outcome, known) in work.outcomes.into_iter().zip(known) {
            match (known, outcome.result) {
                (Some((variants, skipped)), _) => parsed.add(variants, skipped),
                (None, Ok(record)) => parsed.add(record.variants.len(), skipped(&record)),
                (None, Err(error)) => parsed.errors.push(error),
            }
        }
        Ok(parsed)
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
}

/// What there is to say of an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Files whose records came from the cache.
    pub cached: usize,
    /// Files evaluated now.
    pub evaluated: usize,
    /// Errors of files that could not be evaluated.
    pub errors: Vec<String>,
    variants: usize,
    skipped: usize,
    masked: usize,
}

impl Parsed {
    pub(crate) fn of(configurations: &[Configuration]) -> Parsed {
        Parsed { masked: configurations.iter().map(|c| c.masked.len()).sum(), ..Parsed::default() }
    }

    pub(crate) fn add(&mut self, variants: usize, skipped: usize) {
        self.variants += variants;
        self.skipped += skipped;
    }
}

impl fmt::Display for Parsed {
    /// The line BitBake prints when parsing is done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parsed { cached, evaluated, errors, variants, skipped, masked } = self;
        write!(
            f,
            "Parsing of {} .bb files complete ({cached} cached, {evaluated} parsed). {variants} targets, {skipped} skipped, {masked} masked, {} errors.",
            cached + evaluated,
            errors.len()
        )
    }
}

/// An evaluation that is going on.
struct Work {
    host: Host,
    configurations: Vec<Configuration>,
    outcomes: Vec<Outcome>,
    /// For each outcome, what the cache has of it.
    kept: Vec<Option<Kept>>,
}

impl Work {
    /// Reads the configuration and finds what the cache knows.
    fn begin(build_dir: &BuildDir, cache: &mut RecipeCache) -> Result<Work> {
        let mut host = build_dir.start_host(evaluators())?;
        let configurations = host.configure(build_dir.configure.clone())?;
        cache.use_configurations(&configurations);
        let mut outcomes = Vec::new();
        let mut kept = Vec::new();
        for configuration in &configurations {
            for file in &configuration.recipes {
                kept.push(cache.take(&configuration.mc, file));
                let (mc, file) = (configuration.mc.clone(), file.clone());
                outcomes.push(Outcome { mc, file, result: Err(String::new()) });
            }
        }
        Ok(Work { host, configurations, outcomes, kept })
    }

    /// Evaluates the rest and replaces the cache. Answers with how many files that were.
    fn finish(&mut self, cache: &RecipeCache, watch: &dyn Watch) -> Result<usize> {
        let open: Vec<usize> = (0..self.kept.len()).filter(|&number| self.kept[number].is_none()).collect();
        evaluate(&mut self.host, &mut self.outcomes, &open, watch)?;
        cache.save(&self.configurations, &self.outcomes, std::mem::take(&mut self.kept), watch);
        Ok(open.len())
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
