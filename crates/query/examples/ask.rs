//! `ask DIR QUERY...`: answers recipe queries over a recorded dump of evaluated
//! recipes (`recipes-*.jsonl.zst`, `config.jsonl.zst`, `providers.jsonl.zst`), with times.
//! A query may begin with `FORM:` for another output, as in `label_kind:deps(busybox)`.

use bitzel_base::{RecipeId, RecipeInfo};
use bitzel_query::{Flavour, InfoDetails, Output, RecipeEnv, print, query};
use bitzel_taskgraph::{ConfigVars, MapConfig, ProviderIndex, Recipe, ResolveOptions};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

type Res<T> = Result<T, Box<dyn Error>>;

fn main() -> Res<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().ok_or("usage: ask DIR QUERY...")?;
    let index = load(Path::new(&dir))?;
    let start = Instant::now();
    let resolution = index.resolve(index.targets(&["universe"], "do_build")?, &ResolveOptions::default());
    let env = RecipeEnv::new(&index, &resolution, &InfoDetails, Flavour::Query);
    eprintln!("{} recipes resolved in {:?}", resolution.recipes().len(), start.elapsed());
    for text in args {
        let form = text.split_once(':').and_then(|(form, rest)| Some((form.parse::<Output>().ok()?, rest)));
        let (output, text) = form.unwrap_or((Output::Label, &text));
        let start = Instant::now();
        let result = query(&env, text)?;
        let elapsed = start.elapsed();
        let mut out = String::new();
        print(&env, &result, output, &mut out)?;
        print!("{out}");
        eprintln!("{text}: {} in {elapsed:?}", result.nodes.len() + result.files.len());
    }
    Ok(())
}

/// What is wanted of a record; the rest is most of it.
#[derive(serde::Deserialize)]
struct Record {
    mcfn: String,
    info: RecipeInfo,
}

fn load(dir: &Path) -> Res<ProviderIndex> {
    let config: Value =
        serde_json::from_str(&lines(&dir.join("config.jsonl.zst"))?.next().ok_or("no config")??)?;
    let vars = config["vars"].as_object().ok_or("no vars")?;
    let config: MapConfig =
        vars.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
    let config: Arc<dyn ConfigVars + Send + Sync> = Arc::new(config);
    let providers: Value =
        serde_json::from_str(&lines(&dir.join("providers.jsonl.zst"))?.next().ok_or("no providers")??)?;
    let mut recipes = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("recipes-")) {
            continue;
        }
        for line in lines(&path)? {
            let line = line?;
            let record: Record = serde_json::from_str(&line)?;
            let id: RecipeId = record.mcfn.parse()?;
            let priority = providers["priorities"][&record.mcfn].as_i64().unwrap_or(0) as i32;
            recipes.push(Recipe { id, info: Arc::new(record.info), priority });
        }
    }
    Ok(ProviderIndex::new(recipes, BTreeMap::from([(String::new(), config)])))
}

fn lines(path: &Path) -> Res<impl Iterator<Item = std::io::Result<String>>> {
    let mut decoder = zstd::Decoder::new(std::fs::File::open(path)?)?;
    decoder.window_log_max(27)?;
    Ok(BufReader::with_capacity(1 << 20, decoder).lines())
}
