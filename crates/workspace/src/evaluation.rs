//! Evaluating all recipes of a build directory, from the cache where it holds.

use crate::Result;
use crate::build_dir::BuildDir;
use crate::cache::{Content, Draft, Part, RecipeCache};
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
        let mut work = Work::new(Configured::begin(build_dir)?, None);
        let (parsed, ()) = work.evaluate(watch, |_, _| ())?;
        Ok(evaluation(work.configured.configurations, work.parts, parsed, Vec::new()))
    }

    /// Everything, if the cache knows all of it; of the records only what says who provides what
    /// by names of PROVIDES. No host is started.
    pub fn known_providers(build_dir: &BuildDir) -> Option<Evaluation> {
        let (configurations, kept) = RecipeCache::open(build_dir, &Silent, || ()).complete()?;
        let cached = kept.len();
        let outcome = |kept: Kept| {
            let evaluated = Evaluated { variants: kept.variants, files: Vec::new() };
            Outcome { mc: kept.mc, file: kept.file, result: Ok(evaluated) }
        };
        let outcomes = kept.into_iter().map(outcome).collect();
        Some(Evaluation { configurations, outcomes, cached, parsed: 0 })
    }

    fn complete(
        cache: &RecipeCache,
        configurations: Vec<Configuration>,
        kept: Vec<Kept>,
        watch: &dyn Watch,
    ) -> Option<Evaluation> {
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
        let (mut cache, known) = Known::find(build_dir, watch)?;
        let configured = match known {
            Known::All(configurations, kept) => {
                match Evaluation::complete(&cache, configurations, kept, watch) {
                    Some(evaluation) => return Ok(evaluation),
                    None => Configured::begin(build_dir)?,
                }
            }
            Known::Part(configured) => configured,
        };
        let mut work = Work::new(configured, Some(&mut cache));
        let known = in_parallel(&work.parts, |part| cache.record(&part.content));
        for (part, known) in work.parts.iter_mut().zip(&known) {
            if known.is_none() {
                part.content = Content::Open;
            }
        }
        let (parsed, draft) =
            work.evaluate(watch, |configurations, parts| cache.draft(configurations, parts))?;
        let (configurations, parts) = work.save(&cache, draft, watch);
        Ok(evaluation(configurations, parts, parsed, known))
    }

    /// The same for whoever wants to know no more than whether it works: what the cache knows is
    /// not even read.
    pub fn check(build_dir: &BuildDir, watch: &dyn Watch) -> Result<Parsed> {
        let (mut cache, known) = Known::find(build_dir, watch)?;
        let configured = match known {
            Known::All(configurations, kept) => {
                let mut parsed = Parsed::of(&configurations);
                parsed.cached = kept.len();
                kept.iter().for_each(|kept| parsed.add(&kept.variants));
                return Ok(parsed);
            }
            Known::Part(configured) => configured,
        };
        let mut work = Work::new(configured, Some(&mut cache));
        let (evaluated, draft) =
            work.evaluate(watch, |configurations, parts| cache.draft(configurations, parts))?;
        let (configurations, parts) = work.save(&cache, draft, watch);
        let mut parsed = Parsed::of(&configurations);
        parsed.evaluated = evaluated;
        parsed.cached = parts.len() - evaluated;
        for part in &parts {
            match &part.content {
                Content::Kept(kept) => parsed.add(&kept.variants),
                Content::New(record) => parsed.add(&record.variants),
                Content::Failed(error) => parsed.errors.push(error.clone()),
                Content::Open => {}
            }
        }
        // A command that checks ends now: the system frees all of it faster than it could be taken apart.
        std::mem::forget((cache, configurations, parts));
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

/// A host that has read the configurations.
struct Configured {
    host: Host,
    configurations: Vec<Configuration>,
}

impl Configured {
    fn begin(build_dir: &BuildDir) -> Result<Configured> {
        let mut host = build_dir.start_host(processors())?;
        let configurations = host.configure(build_dir.configure.clone())?;
        Ok(Configured { host, configurations })
    }
}

/// What the cache knows.
enum Known {
    /// Everything.
    All(Vec<Configuration>, Vec<Kept>),
    /// What it knows can be asked of it, now that the configuration is read.
    Part(Configured),
}

impl Known {
    /// A host is started as soon as a file is found changed; the rest is looked at meanwhile.
    fn find(build_dir: &BuildDir, watch: &dyn Watch) -> Result<(RecipeCache, Known)> {
        let (cache, complete, started) = std::thread::scope(|scope| {
            let mut started = None;
            let start = || started = Some(scope.spawn(|| Configured::begin(build_dir)));
            let mut cache = RecipeCache::open(build_dir, watch, start);
            let complete = cache.complete();
            let ended = started.map(|thread| match thread.join() {
                Ok(configured) => configured,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            (cache, complete, ended)
        });
        let known = match (complete, started) {
            (Some((configurations, kept)), None) => Known::All(configurations, kept),
            (_, Some(configured)) => Known::Part(configured?),
            (None, None) => Known::Part(Configured::begin(build_dir)?),
        };
        Ok((cache, known))
    }
}

/// An evaluation that is going on.
struct Work {
    configured: Configured,
    /// In order of configurations and files.
    parts: Vec<Part>,
}

impl Work {
    /// Finds what the cache knows.
    fn new(configured: Configured, mut cache: Option<&mut RecipeCache>) -> Work {
        if let Some(cache) = &mut cache {
            cache.use_configurations(&configured.configurations);
        }
        let mut parts = Vec::new();
        for configuration in &configured.configurations {
            for file in &configuration.recipes {
                let kept = cache.as_mut().and_then(|cache| cache.take(&configuration.mc, file));
                let content = kept.map_or(Content::Open, Content::Kept);
                parts.push(Part { mc: configuration.mc.clone(), file: file.clone(), content });
            }
        }
        Work { configured, parts }
    }

    /// Evaluates the files that nothing is known of yet, spread over the host's evaluators, and does
    /// something with the rest `meanwhile`. One that fails does not stop the others. Answers with how
    /// many they were.
    fn evaluate<M: Send>(
        &mut self,
        watch: &dyn Watch,
        meanwhile: impl FnOnce(&[Configuration], &[Part]) -> M + Send,
    ) -> Result<(usize, M)> {
        let is_open = |number: &usize| matches!(self.parts[*number].content, Content::Open);
        let open: Vec<usize> = (0..self.parts.len()).filter(is_open).collect();
        let Work { configured: Configured { host, configurations }, parts } = self;
        let (results, done) = std::thread::scope(|scope| {
            let other = scope.spawn(|| meanwhile(configurations, parts));
            let results = if open.is_empty() { Ok(Vec::new()) } else { evaluate(host, parts, &open, watch) };
            (results, other.join())
        });
        let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        for (&number, content) in open.iter().zip(results?) {
            self.parts[number].content = content;
        }
        Ok((open.len(), done))
    }

    /// Replaces the cache while the host ends.
    fn save(
        self,
        cache: &RecipeCache,
        draft: Draft<'_>,
        watch: &dyn Watch,
    ) -> (Vec<Configuration>, Vec<Part>) {
        let Work { configured: Configured { host, configurations }, parts } = self;
        std::thread::scope(|scope| {
            scope.spawn(move || drop(host));
            cache.save(draft, &configurations, &parts, watch);
        });
        (configurations, parts)
    }
}

/// What becomes of those of the parts.
fn evaluate(host: &mut Host, parts: &[Part], open: &[usize], watch: &dyn Watch) -> Result<Vec<Content>> {
    watch.begin("Parsing recipes", open.len());
    let contents = host.spread(usize::MAX, open, |channel, &number| {
        let Part { mc, file, .. } = &parts[number];
        let content = match channel.ask(&Request::Evaluate(mc.clone(), file.clone())) {
            Ok(Reply::Evaluated(record)) => Content::New(record),
            Ok(_) => return Err(HostError::Confused),
            Err(HostError::Failed(failure)) if failure.message.contains(&file.path) => {
                Content::Failed(failure.message)
            }
            Err(HostError::Failed(failure)) => Content::Failed(format!("{}: {}", file.path, failure.message)),
            Err(HostError::Died(how)) => {
                return Err(HostError::Died(format!("{how}, while evaluating {}", file.path)));
            }
            Err(other) => return Err(other),
        };
        watch.step();
        Ok(content)
    })?;
    watch.end();
    Ok(contents)
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
