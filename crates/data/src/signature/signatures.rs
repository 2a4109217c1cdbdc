//! The signatures of one recipe variant, and what is kept from one to the next.

use super::basehash::{Closure, Places, base_hashes};
use super::dependencies::{Node, python_text};
use super::finds::FindCache;
use super::known::Memory;
use super::library::Library;
use crate::context::Context;
use crate::store::DataStore;
use crate::symbol::Sym;
use crate::value::Value;
use crate::{Error, Result, SetInfo};
use bitzel_scan::CallVisitor;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// What is kept between recipes: finds by text, and names of flags. One per process.
pub struct SignatureCache {
    pub(crate) finds: FindCache,
    pub(crate) library: Library,
    pub(crate) visitor: Box<dyn CallVisitor>,
    pub(crate) flag_names: Rc<FlagNames>,
    /// BB_BASEHASH_IGNORE_VARS of the configuration.
    ignored: Rc<FxHashSet<Sym>>,
    flag_syms: FxHashMap<(Sym, Sym), Sym>,
    places: Places,
    pub(crate) memory: Memory,
    /// Which flags counted for what is remembered.
    rules: Option<ExcludedFlags>,
    /// The node of a name that nothing stands behind.
    pub(crate) nothing: Node,
}

/// Flags that bear on signatures.
pub(crate) struct FlagNames {
    pub(crate) func: Sym,
    pub(crate) python: Sym,
    pub(crate) vardeps: Sym,
    pub(crate) vardepsexclude: Sym,
    pub(crate) vardepvalue: Sym,
    pub(crate) vardepvalueexclude: Sym,
    pub(crate) prefuncs: Sym,
    pub(crate) postfuncs: Sym,
    pub(crate) exports: Sym,
}

impl FlagNames {
    /// Is the flag's value expanded before it counts?
    pub(crate) fn is_expanded(&self, flag: Sym) -> bool {
        let FlagNames { vardeps, vardepsexclude, vardepvalue, prefuncs, postfuncs, exports, .. } = self;
        [vardeps, vardepsexclude, vardepvalue, prefuncs, postfuncs, exports].contains(&&flag)
    }
}

impl SignatureCache {
    /// A cache for recipes of the configuration `base`. `visitor` answers for library
    /// functions with `visitorcode`.
    ///
    /// # Errors
    /// If BB_BASEHASH_IGNORE_VARS of the configuration cannot be expanded.
    pub fn new(base: &DataStore, library: Library, visitor: Box<dyn CallVisitor>) -> Result<SignatureCache> {
        let sym = |name| base.context().sym(name);
        let flag_names = FlagNames {
            func: sym("func"),
            python: sym("python"),
            vardeps: sym("vardeps"),
            vardepsexclude: sym("vardepsexclude"),
            vardepvalue: sym("vardepvalue"),
            vardepvalueexclude: sym("vardepvalueexclude"),
            prefuncs: sym("prefuncs"),
            postfuncs: sym("postfuncs"),
            exports: sym("exports"),
        };
        Ok(SignatureCache {
            finds: FindCache::default(),
            library,
            visitor,
            flag_names: Rc::new(flag_names),
            // BitBake: what recipes and their classes add does not count.
            ignored: words(base, "BB_BASEHASH_IGNORE_VARS")?.into(),
            flag_syms: FxHashMap::default(),
            places: Places::default(),
            memory: Memory::default(),
            rules: None,
            nothing: Node { shared: Rc::new([]), own: Vec::new(), value: Some(Value::str("")) },
        })
    }

    /// The name `VARIABLE[flag]`.
    pub(crate) fn flag_sym(&mut self, variable: Sym, flag: Sym, context: &Context) -> Sym {
        if let Some(&sym) = self.flag_syms.get(&(variable, flag)) {
            return sym;
        }
        let sym = context.sym(&format!("{}[{}]", context.name(variable), context.name(flag)));
        self.flag_syms.insert((variable, flag), sym);
        sym
    }
}

/// One signing: the store, and what of it bears on all names.
pub(crate) struct Run<'s> {
    pub(crate) store: &'s DataStore,
    /// The store as functions are looked at: with the values of BB_HASH_CODEPARSER_VALS.
    pub(crate) code: &'s DataStore,
    /// Exported variables: every shell function depends on them.
    pub(crate) exported: Rc<[Sym]>,
    ignored: Rc<FxHashSet<Sym>>,
    excluded_flags: ExcludedFlags,
    /// Variables that BB_HASH_CODEPARSER_VALS names.
    replaced: Vec<Sym>,
}

/// BB_SIGNATURE_EXCLUDE_FLAGS: flags that are not hashed.
#[derive(Clone, PartialEq, Eq)]
enum ExcludedFlags {
    Words(FxHashSet<Sym>),
    /// BitBake: until May 2026 a flag was not hashed if its name was found anywhere in the
    /// text, as `func` is in `prefuncs`.
    Text(String),
}

/// Series whose BitBake never got that mended.
const EXCLUDES_BY_TEXT: [&str; 7] =
    ["kirkstone", "langdale", "mickledore", "nanbield", "styhead", "walnascar", "whinlatter"];

impl ExcludedFlags {
    fn new(store: &DataStore) -> Result<ExcludedFlags> {
        let name = "BB_SIGNATURE_EXCLUDE_FLAGS";
        let series = store.get_or_empty("LAYERSERIES_CORENAMES")?;
        if series.split_whitespace().any(|name| EXCLUDES_BY_TEXT.contains(&name)) {
            let text = store.get_or_empty(name)?;
            return Ok(ExcludedFlags::Text(text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        Ok(ExcludedFlags::Words(words(store, name)?))
    }
}

impl Run<'_> {
    pub(crate) fn is_ignored(&self, name: Sym) -> bool {
        self.ignored.contains(&name)
    }

    /// Is the variable another one where functions are looked at?
    pub(crate) fn is_replaced(&self, name: Sym) -> bool {
        self.replaced.contains(&name)
    }

    /// Is there something of this name that code may refer to?
    pub(crate) fn exists(&self, name: Sym, cache: &SignatureCache) -> bool {
        if cache.library.get(name).is_some() {
            return true;
        }
        self.store.exists(name) && !self.store.context().starts_with(name, &["__"])
    }

    /// BitBake: where BB_SIGNATURE_EXCLUDE_FLAGS is empty, no flag is hashed.
    pub(crate) fn hashes_flag(&self, flag: Sym) -> bool {
        let context = self.store.context();
        let leaves = match &self.excluded_flags {
            ExcludedFlags::Words(words) => !words.is_empty() && !words.contains(&flag),
            ExcludedFlags::Text(text) => !text.is_empty() && !text.contains(&*context.name(flag)),
        };
        leaves && !context.starts_with(flag, &["_", ":"])
    }
}

/// Base hashes of a recipe's tasks, and what they stand on.
pub struct Signatures {
    closure: Closure,
    /// One for each task of the closure.
    base_hashes: Vec<String>,
}

impl Signatures {
    /// Task and base hash in hex, in the order of the tasks given.
    pub fn base_hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        let tasks = self.closure.tasks.iter().map(|&task| &*self.closure.names[task as usize]);
        tasks.zip(self.base_hashes.iter().map(String::as_str))
    }

    /// Each name that a task reaches, sorted, with the names it depends on, sorted too
    /// (BitBake's `gendeps`), and what is hashed for it (`varvals`).
    pub fn nodes(&self) -> impl Iterator<Item = (&str, Vec<&str>, Option<&Value>)> {
        let closure = &self.closure;
        let named = |rank: usize| {
            let mut ranks = closure.dependencies(rank).to_vec();
            ranks.sort_unstable();
            ranks.dedup();
            ranks.iter().map(|&rank| &*closure.names[rank as usize]).collect()
        };
        let named_values = closure.names.iter().zip(&closure.values).enumerate();
        named_values.map(move |(rank, (name, value))| (&**name, named(rank), value.as_ref()))
    }

    /// Which of the nodes a task reaches, by their places among them: itself only by way of
    /// others. And its own place; None for a name that no task reaches.
    pub fn reached(&self, task: &str) -> Option<(usize, Vec<bool>)> {
        let names = &self.closure.names;
        let own = names.binary_search_by(|name| (**name).cmp(task)).ok()?;
        let mut waiting = vec![own];
        let mut reached = vec![false; names.len()];
        while let Some(place) = waiting.pop() {
            for &rank in self.closure.dependencies(place) {
                if !std::mem::replace(&mut reached[rank as usize], true) {
                    waiting.push(rank as usize);
                }
            }
        }
        Some((own, reached))
    }
}

/// Computes dependencies and base hashes of `tasks`, for a store after finalisation.
///
/// # Errors
/// If code cannot be scanned or a value that counts cannot be expanded.
pub fn sign(store: &DataStore, tasks: &[Rc<str>], cache: &mut SignatureCache) -> Result<Signatures> {
    let (code, replaced) = code_store(store)?;
    let run = Run {
        store,
        code: &code,
        exported: store.exported()?.into(),
        ignored: cache.ignored.clone(),
        excluded_flags: ExcludedFlags::new(store)?,
        replaced,
    };
    if cache.rules.as_ref() != Some(&run.excluded_flags) {
        cache.memory = Memory::default();
        cache.rules = Some(run.excluded_flags.clone());
    }
    let context = store.context();
    let task_syms: Vec<Sym> = tasks.iter().map(|task| context.sym(task)).collect();
    store.begin_signing();
    // A table that an error leaves half-filled is not used again.
    let mut places = std::mem::take(&mut cache.places);
    let nodes = reach(&task_syms, &mut places, cache, &run);
    store.end_signing();
    let nodes = nodes?;
    let met: Vec<Sym> = nodes.iter().map(|(sym, _)| *sym).collect();
    let closure = Closure::new(nodes, &places, &task_syms, context);
    places.forget(met.iter());
    cache.places = places;
    let base_hashes = base_hashes(&closure);
    Ok(Signatures { closure, base_hashes })
}

/// What is known of the tasks and of all names they reach.
///
/// BitBake: task by task as given, level by level. The order counts where variables have filters (see
/// `filters.rs`); within a level it is that of a Python set there, sorted here.
fn reach(
    tasks: &[Sym],
    places: &mut Places,
    cache: &mut SignatureCache,
    run: &Run,
) -> Result<Vec<(Sym, Node)>> {
    let context = run.store.context();
    let mut nodes = Vec::new();
    for &task in tasks {
        let mut level = Vec::new();
        if places.meet(task) {
            level.push(task);
        }
        while !level.is_empty() {
            let mut next = Vec::new();
            for name in level {
                let node = cache.node(name, run)?;
                next.extend(node.dependencies().filter(|&name| places.meet(name)));
                places.put(name, u32::try_from(nodes.len()).expect("fewer than 2^32 names"));
                nodes.push((name, node));
            }
            if run.store.has_filters() {
                next.sort_by_cached_key(|&name| context.name(name));
            }
            level = next;
        }
    }
    Ok(nodes)
}

fn words(store: &DataStore, name: &str) -> Result<FxHashSet<Sym>> {
    let text = store.get_or_empty(name)?;
    Ok(text.split_whitespace().map(|word| store.context().sym(word)).collect())
}

/// The store in which functions are looked at: values that differ between recipes are
/// replaced, so that many function bodies are the same text. And which they are.
fn code_store(store: &DataStore) -> Result<(DataStore, Vec<Sym>)> {
    let list = store.get_or_empty("BB_HASH_CODEPARSER_VALS")?;
    let mut replaced = Vec::new();
    if list.trim().is_empty() {
        return Ok((store.clone(), replaced));
    }
    let code = store.create_copy();
    for item in list.split_whitespace() {
        let (name, value) = item.split_once('=').ok_or_else(|| Error::NotAssignment {
            variable: "BB_HASH_CODEPARSER_VALS",
            item: item.to_owned(),
        })?;
        code.set(name, Value::str(value.replace("%20", " ")), &SetInfo::default())?;
        replaced.push(store.context().sym(name));
    }
    Ok((code, replaced))
}

/// `str()` of what is hashed for a name.
pub(crate) fn hashed_text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::Str(text) => std::borrow::Cow::Borrowed(text),
        other => std::borrow::Cow::Owned(python_text(other)),
    }
}
