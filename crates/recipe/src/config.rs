//! The base configuration: environment, bblayers.conf, layers, bitbake.conf,
//! global classes (feature order of the manual's chapter "Execution").

use crate::files::DEPENDS;
use crate::host::EvalEvent;
use crate::inherit::CLASS_CONTEXT;
use crate::{Collected, Error, Evaluator, LayerRules, RecipeFile, Result, Variant, Variants};
use bitzel_base::{CompatLevel, SourceLoc};
use bitzel_data::{DataStore, SetInfo, SignatureCache, Value};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the caller decides about a configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigOptions {
    /// The whole environment of the caller.
    pub env: BTreeMap<String, String>,
    /// `-r` files, read before bitbake.conf.
    pub pre_files: Vec<String>,
    /// `-R` files, read after bitbake.conf.
    pub post_files: Vec<String>,
    /// Record who set what.
    pub track_history: bool,
    /// The command line, for BB_CMDLINE.
    pub command_line: Vec<String>,
}

/// Always let through from the environment.
const PASSED: [&str; 3] = ["BBPATH", "BB_PRESERVE_ENV", "BB_ENV_PASSTHROUGH_ADDITIONS"];
/// Let through and exported to tasks.
const PASSED_EXPORTED: [&str; 9] =
    ["BB_TASKHASH", "HOME", "LOGNAME", "PATH", "PWD", "SHELL", "USER", "LC_ALL", "BBSERVER"];
/// The configuration may ask to be read again this often.
const MAX_REPARSE: usize = 20;

/// A configuration, ready to evaluate recipes with.
pub struct BaseConfig {
    /// Multiconfig name, empty for the default one.
    pub mc: String,
    /// The configuration's variables.
    pub data: DataStore,
    /// Which file belongs to which layer.
    pub rules: LayerRules,
    handlers: Rc<dyn std::any::Any>,
    signing: Cell<Option<Box<SignatureCache>>>,
    signs: Cell<bool>,
}

impl BaseConfig {
    /// From now on recipes are signed as they are evaluated.
    pub fn sign_with(&self, cache: SignatureCache) {
        self.signs.set(true);
        self.signing.set(Some(Box::new(cache)));
    }

    /// Are recipes signed?
    pub fn signs(&self) -> bool {
        self.signs.get()
    }
}

/// `BB_HASHSERVE = "auto"` means a server of our own beside the build directory.
fn start_services(d: &DataStore) -> Result<()> {
    if &*d.get_or_empty("BB_HASHSERVE")? == "auto" {
        let address = format!("unix://{}/hashserve.sock", d.get_or_empty("TOPDIR")?);
        d.set("BB_HASHSERVE", Value::str(address), &SetInfo::default())?;
    }
    Ok(())
}

impl Evaluator {
    /// Reads the configuration of all multiconfigs, the default one first.
    pub fn base_configs(&self, options: &ConfigOptions) -> Result<Vec<BaseConfig>> {
        let initial = self.initial_data(options)?;
        let data = self.read_until_settled(&initial, options)?;
        let mut configs = vec![self.base_config("", data)?];
        let names = configs[0].data.get_or_empty("BBMULTICONFIG")?;
        for name in names.split_whitespace() {
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(Error::Refused(format!(
                    "Multiconfig name '{name}' is invalid as multiconfigs cannot start with a digit"
                )));
            }
            let data = self.read_configuration(&initial, options, name)?;
            self.host.fire(EvalEvent::ConfigParsed, "", &[], &data)?;
            configs.push(self.base_config(name, data)?);
        }
        if configs.len() > 1 {
            self.host.fire(EvalEvent::MultiConfigParsed, "", &[], &configs[0].data)?;
        }
        for config in &configs {
            start_services(&config.data)?;
            config.data.rename(DEPENDS, "__base_depends", &SetInfo::quiet_parsing())?;
        }
        Ok(configs)
    }

    fn base_config(&self, mc: &str, data: DataStore) -> Result<BaseConfig> {
        let rules = LayerRules::new(&data)?;
        Ok(BaseConfig {
            mc: mc.to_owned(),
            data,
            rules,
            handlers: self.host.save(),
            signing: Cell::new(None),
            signs: Cell::new(false),
        })
    }

    fn read_until_settled(&self, initial: &DataStore, options: &ConfigOptions) -> Result<DataStore> {
        for _ in 0..=MAX_REPARSE {
            let data = self.read_configuration(initial, options, "")?;
            self.host.fire(EvalEvent::ConfigParsed, "", &[], &data)?;
            let again = data.peek("BB_INVALIDCONF", Value::is_true).unwrap_or(false);
            if !again {
                return Ok(data);
            }
            data.set("BB_INVALIDCONF", Value::Int(0), &SetInfo::default())?;
        }
        Err(Error::Refused(
            "Configuration has been re-parsed over 20 times, breaking out of the loop...".to_owned(),
        ))
    }

    /// Variables before any file is read: what comes from the environment.
    fn initial_data(&self, options: &ConfigOptions) -> Result<DataStore> {
        let d = DataStore::new(&self.context);
        if options.track_history {
            d.history_mut().track(true);
        }
        let env = &options.env;
        let words = |name: &str| -> Vec<String> {
            env.get(name).map(|text| text.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
        };
        let mut passed: Vec<String> = match env.get("BB_ENV_PASSTHROUGH") {
            Some(_) => words("BB_ENV_PASSTHROUGH"),
            None => PASSED.iter().chain(&PASSED_EXPORTED).map(|name| (*name).to_owned()).collect(),
        };
        passed.extend(words("BB_ENV_PASSTHROUGH_ADDITIONS"));
        let all = env.contains_key("BB_PRESERVE_ENV");
        let original = DataStore::new(&self.context);
        for (name, value) in env {
            original.set_raw(name, Value::str(value));
            if !(all || passed.contains(name)) {
                continue;
            }
            let info = SetInfo { op: Some("from env"), ..SetInfo::default() };
            d.set(name, Value::str(value), &info)?;
            if PASSED_EXPORTED.contains(&name.as_str()) {
                let info = SetInfo { op: Some("auto env export"), ..SetInfo::default() };
                d.set_flag(name, "export", Value::Bool(true), &info)?;
            }
        }
        d.set("BB_ORIGENV", Value::Object(Rc::new(original)), &SetInfo::default())?;
        d.set(CLASS_CONTEXT, Value::str("global"), &SetInfo::quiet_parsing())?;
        let line = match &options.command_line[..] {
            [] => Value::None,
            words => Value::strings(words),
        };
        d.set("BB_CMDLINE", line, &SetInfo::default())?;
        Ok(d)
    }

    fn read_configuration(
        &self,
        initial: &DataStore,
        options: &ConfigOptions,
        mc: &str,
    ) -> Result<DataStore> {
        let mut d = initial.create_copy();
        // BitBake: the default one has a name up to 2.8 and none later.
        let shown = if mc.is_empty() && self.level() < CompatLevel::V2_18 { "default" } else { mc };
        d.set("BB_CURRENT_MC", Value::str(shown), &SetInfo::default())?;
        for file in &options.pre_files {
            self.handle_base_conf(file, &d)?;
        }
        if let Some(path) = self.find_bblayers(&d)? {
            let top = path.rsplitn(3, '/').nth(2).unwrap_or("/").to_owned();
            d.set("TOPDIR", Value::str(top), &SetInfo::default())?;
            self.handle_base_conf(&path, &d)?;
            if d.get("BB_CACHEDIR")?.is_none() {
                d.set("BB_CACHEDIR", Value::str("${TOPDIR}/cache"), &SetInfo::default())?;
            }
            d = d.create_copy();
            self.read_layers(&d)?;
        }
        if d.get_or_empty("BBPATH")?.is_empty() {
            return Err(Error::Refused(
                "The BBPATH variable is not set and bitzel found no conf/bblayers.conf here or above.\nIt needs to be run in a build directory (source oe-init-build-env), or with BBPATH set to the absolute path of one.".to_owned(),
            ));
        }
        self.handle_base_conf("conf/bitbake.conf", &d)?;
        for file in &options.post_files {
            self.handle_base_conf(file, &d)?;
        }
        let classes = format!("base {}", d.get_or_empty("INHERIT")?);
        for class in classes.split_whitespace() {
            self.inherit(class, "configuration INHERITs", 0, &d, false)?;
        }
        self.register_handlers(&d)?;
        let cwd = self.cwd();
        let files: Vec<String> =
            crate::dependencies(&d, DEPENDS).iter().map(|file| crate::normalise(file, &cwd)).collect();
        d.set("BBINCLUDED", Value::str(files.join(" ")), &SetInfo::default())?;
        Ok(d)
    }

    /// Reads a file of the base configuration itself, where `addpylib` is allowed.
    pub(crate) fn handle_base_conf(&self, file: &str, d: &DataStore) -> Result<()> {
        self.handle_conf(file, d, true, true).map_err(|error| match error {
            Error::NotFound { .. } => Error::parse(
                format!(
                    "Unable to parse {file}: {error}; check BBPATH, BBLAYERS and the layer's conf folder"
                ),
                SourceLoc::new(file, 0),
            ),
            other => other,
        })
    }

    /// Evaluates a recipe file with its appends: all variants, or those of `only`.
    pub fn recipe(&self, config: &BaseConfig, recipe: &RecipeFile, only: Option<&str>) -> Result<Variants> {
        Ok(Variants::collect(|each| self.recipe_each(config, recipe, only, each))?.1)
    }

    /// The same with variants given to `each` one by one, as soon as they are finalised.
    ///
    /// # Errors
    /// Those of evaluating, and of `each`.
    pub fn recipe_each(
        &self,
        config: &BaseConfig,
        recipe: &RecipeFile,
        only: Option<&str>,
        each: &mut dyn FnMut(Variant) -> Result<()>,
    ) -> Result<()> {
        self.host.restore_handlers(&config.handlers);
        self.host.restore_functions(&config.handlers);
        let d = config.data.create_copy();
        let quiet = SetInfo::quiet_parsing();
        d.set(CLASS_CONTEXT, Value::str("recipe"), &quiet)?;
        d.set("__BBMULTICONFIG", Value::str(&config.mc), &quiet)?;
        if self.level() >= CompatLevel::V2_18 {
            d.set("__BB_RECIPE_FILE", Value::str(&recipe.path), &quiet)?;
        }
        if !recipe.layer.is_empty() {
            d.set("FILE_LAYERNAME", Value::str(&recipe.layer), &SetInfo::default())?;
        }
        if !recipe.appends.is_empty() {
            d.set("__BBAPPEND", Value::str(recipe.appends.join(" ")), &quiet)?;
        }
        if let Some(variant) = only {
            d.set("__ONLYFINALISE", Value::strings([variant]), &quiet)?;
        }
        let outer = self.signing.replace(config.signing.take());
        let is_recipe = self.handle_each(&recipe.path, &d, false, each);
        config.signing.set(self.signing.replace(outer));
        let error = || Error::parse("not a recipe", SourceLoc::new(&*recipe.path, 0));
        if is_recipe? { Ok(()) } else { Err(error()) }
    }

    /// The recipe files of a configuration; dangling appends are an error.
    pub fn collect_checked(&self, config: &BaseConfig) -> Result<Collected> {
        let collected = self.collect(&config.data, &config.rules)?;
        if !collected.dangling.is_empty() {
            let warn = self.level() < bitzel_base::CompatLevel::V2_18
                && matches!(&*config.data.get_or_empty("BB_DANGLINGAPPENDS_WARNONLY")?, "1" | "yes" | "true");
            let text = format!(
                "No recipes in {} available for:\n  {}",
                if config.mc.is_empty() { "default" } else { &config.mc },
                collected.dangling.join("\n  ")
            );
            if !warn {
                return Err(Error::Refused(text));
            }
            self.host.log(bitzel_data::LogLevel::Warning, &text);
        }
        Ok(collected)
    }
}
