//! Evaluating all recipes of a build directory, from the cache where it holds.

use crate::Result;
use crate::build_dir::BuildDir;
use crate::cache::{Content, Part, RecipeCache};
use crate::cache_file::Kept;
use crate::parallel::{in_parallel, processors};
use crate::watch::{Silent, Watch};
use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_host::{Error as HostError, Host};
use bitzel_recipe::protocol::{Configuration, Evaluated, Reply, Request};
use bitzel_recipe::{RecipeFile, Record};
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
        let mut work = Work::begin(build_dir, None)?;
        let parsed = work.evaluate(watch)?;
        Ok(evaluation(work.configurations, work.parts, parsed, Vec::new()))
    }

    /// Everything, if the cache knows all of it; of the records only what says who provides what
    /// by names of PROVIDES. No host is started.
    pub fn known_providers(build_dir: &BuildDir) -> Option<Evaluation> {
        let (configurations, kept) = RecipeCache::open(build_dir, &Silent).complete()?;
        let cached = kept.len();
        let outcome = |kept: Kept| {
            let evaluated = Evaluated { variants: kept.variants, files: Vec::new() };
            Outcome { mc: kept.mc, file: kept.file, result: Ok(evaluated) }
        };
        let outcomes = kept.into_iter().map(outcome).collect();
        Some(Evaluation { configurations, outcomes, cached, parsed: 0 })
    }

    fn complete(cache: &mut RecipeCache, watch: &dyn Watch) -> Option<Evaluation> {
        let (configurations, kept) = cache.complete()?;
        let cached = kept.len();
        let part =
            |kept: Kept| Part { mc: kept.mc.clone(), file: kept.file.clone(), content: Content::Kept(kept) };
        let parts: Vec<Part> = kept.into_iter().map(part).collect();
        let records = in_parallel(&parts, |part| cache.record(&part.content));
        let outcome = |(part, record): (Part, Option<Evaluated>)| {
            Some(Outcome { mc: part.mc, file: part.file, result: Ok(record?) })
        };
        let outcomes: Option<Vec<Outcome>> = parts.into_iter().zip(records).map(outcome).collect();
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
        let mut work = Work::begin(build_dir, Some(&mut cache))?;
        let known = in_parallel(&work.parts, |part| cache.record(&part.content));
        for (part, known) in work.parts.iter_mut().zip(&known) {
            if known.is_none() {
                part.content = Content::Open;
            }
        }
        let parsed = work.evaluate(watch)?;
        let (configurations, parts) = work.save(&cache, watch);
        Ok(evaluation(configurations, parts, parsed, known))
    }

    /// The same for whoever wants to know no more than whether it works: what the cache knows is
    /// not even read.
    pub fn check(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Parsed> {
        let mut cache = RecipeCache::open(build_dir, watch);
        if let Some((configurations, kept)) = cache.complete() {
            let mut parsed = Parsed::of(&configurations);
            parsed.cached = kept.len();
            kept.iter().for_each(|kept| parsed.add(&kept.variants));
            return Ok(parsed);
        }
        let mut work = Work::begin(build_dir, Some(&mut cache))?;
        let evaluated = work.evaluate(watch)?;
        let (configurations, parts) = work.save(&cache, watch);
        let mut parsed = Parsed::of(&configurations);
        parsed.evaluated = evaluated;
        parsed.cached = parts.len() - evaluated;
        for part in parts {
            match part.content {
                Content::Kept(kept) => parsed.add(&kept.variants),
                Content::New(record) => parsed.add(&record.variants),
                Content::Failed(error) => parsed.errors.push(error),
                Content::Open => {}
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
    fn of(configurations: &[Configuration]) -> Parsed {
        Parsed { masked: configurations.iter().map(|c| c.masked.len()).sum(), ..Parsed::default() }
    }

    fn add(&mut self, variants: &[(String, RecipeInfo)]) {
        self.variants += variants.len();
        self.skipped += variants.iter().filter(|(_, info)| info.skipped).count();
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
    /// In order of configurations and files.
    parts: Vec<Part>,
}

impl Work {
    /// Reads the configuration and finds what the cache knows.
    fn begin(build_dir: &BuildDir, mut cache: Option<&mut RecipeCache>) -> Result<Work> {
        let mut host = build_dir.start_host(processors())?;
        let configurations = host.configure(build_dir.configure.clone())?;
        if let Some(cache) = &mut cache {
            cache.use_configurations(&configurations);
        }
        let mut parts = Vec::new();
        for configuration in &configurations {
            for file in &configuration.recipes {
                let kept = cache.as_mut().and_then(|cache| cache.take(&configuration.mc, file));
                let content = kept.map_or(Content::Open, Content::Kept);
                parts.push(Part { mc: configuration.mc.clone(), file: file.clone(), content });
            }
        }
        Ok(Work { host, configurations, parts })
    }

    /// Evaluates the files that nothing is known of yet, spread over the host's evaluators. One
    /// that fails does not stop the others. Answers with how many they were.
    fn evaluate(&mut self, watch: &dyn Watch) -> Result<usize> {
        let is_open = |number: &usize| matches!(self.parts[*number].content, Content::Open);
        let open: Vec<usize> = (0..self.parts.len()).filter(is_open).collect();
        if open.is_empty() {
            return Ok(0);
        }
        watch.begin("Parsing recipes", open.len());
        let parts = &self.parts;
        let results = self.host.spread(usize::MAX, &open, |channel, &number| {
            let Part { mc, file, .. } = &parts[number];
            let content = match channel.ask(&Request::Evaluate(mc.clone(), file.clone())) {
                Ok(Reply::Evaluated(record)) => Content::New(record),
                Ok(_) => return Err(HostError::Confused),
                Err(HostError::Failed(failure)) if failure.message.contains(&file.path) => {
                    Content::Failed(failure.message)
                }
                Err(HostError::Failed(failure)) => {
                    Content::Failed(format!("{}: {}", file.path, failure.message))
                }
                Err(HostError::Died(how)) => {
                    return Err(HostError::Died(format!("{how}, while evaluating {}", file.path)));
                }
                Err(other) => return Err(other),
            };
            watch.step();
            Ok(content)
        })?;
        watch.end();
        for (&number, content) in open.iter().zip(results) {
            self.parts[number].content = content;
        }
        Ok(open.len())
    }

    /// Replaces the cache while the host ends.
    fn save(self, cache: &RecipeCache, watch: &dyn Watch) -> (Vec<Configuration>, Vec<Part>) {
        let Work { host, configurations, parts } = self;
        std::thread::scope(|scope| {
            scope.spawn(move || drop(host));
            cache.save(&configurations, &parts, watch);
        });
        (configurations, parts)
    }
}

/// What came of the work: records that were read before, and those evaluated now.
fn evaluation(
    configurations: Vec<Configuration>,
    parts: Vec<Part>,
    parsed: usize,
    known: Vec<Option<Evaluated>>,
) -> Evaluation {
    let unpacked = in_parallel(&parts, |part| match &part.content {
        Content::New(record) => Record::unpack(record.packed()).ok(),
        _ => None,
    });
    let known = known.into_iter().chain(std::iter::repeat_with(|| None));
    let outcome = |((part, new), known): ((Part, Option<Evaluated>), Option<Evaluated>)| {
        let Part { mc, file, content } = part;
        let result = new.or(known).ok_or_else(|| match content {
            Content::Failed(error) => error,
            _ => format!("{}: the answer of its evaluator cannot be read", file.path),
        });
        Outcome { mc, file, result }
    };
    let outcomes: Vec<Outcome> = parts.into_iter().zip(unpacked).zip(known).map(outcome).collect();
    Evaluation { cached: outcomes.len() - parsed, configurations, outcomes, parsed }
}
