//! The host's side of the protocol: one process reads the configuration, then forks
//! evaluators that share it copy-on-write. A closed channel ends a process.

use crate::convert::to_python;
use crate::datasmart::DataSmart;
use crate::failure::{OrRaise, from_recipe_error};
use crate::session::Session;
use crate::signatures::signature_cache;
use crate::{runner, siginfo};
use bitzel_base::{ErrorKind, RecipeId};
use bitzel_data::DataStore;
use bitzel_recipe::export::{
    Blobs, LinesFile, Lookup, Normaliser, Places, RecordKind, record, signature_record,
};
use bitzel_recipe::protocol::{
    Configuration, Configure, Evaluated, ExportShard, Failure, LayerInfo, Reply, Request, read_frame,
    write_frame,
};
use bitzel_recipe::{BaseConfig, ConfigOptions, Evaluator, RecipeFile, Record, Variant, dependencies};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;

/// Answers requests on the first descriptor until it is closed. After `Fork` a child
/// answers on each of the others.
#[pyfunction]
#[allow(unsafe_code)]
pub fn serve(py: Python<'_>, descriptors: Vec<i32>) -> PyResult<()> {
    let Some((&control, others)) = descriptors.split_first() else { return Ok(()) };
    // SAFETY: the parent passed this descriptor to us alone, for this purpose; nothing
    // else in the process knows its number.
    let mut stream = unsafe { UnixStream::from_raw_fd(control) };
    let mut spare = others.to_vec();
    let os = py.import("os")?;
    while let Some(request) = read_frame::<Request>(&mut stream)? {
        let Request::Fork(count) = request else {
            let reply = answer(py, request, &stream);
            write_frame(&mut stream, &reply)?;
            continue;
        };
        // Collecting would write to memory that is shared with the copies.
        py.import("gc")?.call_method0("freeze")?;
        for _ in 0..count.min(spare.len()) {
            let descriptor = spare.remove(0);
            if os.call_method0("fork")?.extract::<i32>()? == 0 {
                drop(stream);
                return serve_child(py, descriptor, &spare);
            }
            os.call_method1("close", (descriptor,))?;
        }
        write_frame(&mut stream, &Reply::Done)?;
    }
    Ok(())
}

/// A forked process: answers on one descriptor, closes those of later siblings and ends
/// the process.
#[allow(unsafe_code)]
fn serve_child(py: Python<'_>, descriptor: i32, later: &[i32]) -> PyResult<()> {
    let os = py.import("os")?;
    for &other in later {
        os.call_method1("close", (other,))?;
    }
    // SAFETY: as in `serve`; after the fork this process alone uses its descriptor.
    let mut stream = unsafe { UnixStream::from_raw_fd(descriptor) };
    let result = loop {
        match read_frame::<Request>(&mut stream) {
            Ok(Some(request)) => {
                let reply = answer(py, request, &stream);
                if let Err(error) = write_frame(&mut stream, &reply) {
                    break Err(error);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    py.import("bitzel_host.fakeroot")?.call_method0("stop_servers")?;
    // Its control groups are removed with it.
    Session::of(py)?.borrow().isolator.take();
    // No interpreter shutdown: the parent's objects are shared with it.
    os.call_method1("_exit", (i32::from(result.is_err()),))?;
    Ok(())
}

/// Answers a request; events of its work go to `stream` at once.
fn answer(py: Python<'_>, request: Request, stream: &UnixStream) -> Reply {
    let listening = listen(py, stream.try_clone().ok());
    let result = listening.and_then(|()| answer_to(py, request, stream));
    // Between requests there is nobody to tell.
    let result = result.and_then(|reply| listen(py, None).map(|()| reply));
    result.unwrap_or_else(|error| Reply::Failed(describe(py, error)))
}

/// Says where events of this process go.
pub(crate) fn listen(py: Python<'_>, listener: Option<UnixStream>) -> PyResult<()> {
    *Session::of(py)?.borrow().listener.borrow_mut() = listener;
    Ok(())
}

fn answer_to(py: Python<'_>, request: Request, stream: &UnixStream) -> PyResult<Reply> {
    match request {
        Request::Configure(configure) => configure_all(py, configure).map(Reply::Configured),
        Request::Evaluate(mc, recipe) => evaluate(py, &mc, &recipe).map(Reply::Evaluated),
        Request::Variables(mc) => variables(py, &mc).map(Reply::Variables),
        Request::Call(name, arguments) => call(py, &name, arguments).map(Reply::Text),
        Request::Export(shard) => export(py, &shard).map(Reply::Count),
        Request::RunTask(order) => runner::run(py, &order, stream).map(Reply::TaskEnded),
        Request::WriteSignatures(order) => siginfo::write_signatures(py, &order).map(|()| Reply::Done),
        Request::Fork(_) => Ok(Reply::Done),
    }
}

/// The failure as shown to the user: metadata's Python with its own lines.
fn describe(py: Python<'_>, error: PyErr) -> Failure {
    let value = error.value(py);
    let exception = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    let described = py
        .import("bitzel_host.errors")
        .and_then(|module| module.call_method1("describe", (value,)))
        .and_then(|text| text.extract::<String>());
    let message = described.unwrap_or_else(|_| value.to_string());
    let kind = if exception == "OSError" { ErrorKind::Environment } else { ErrorKind::Input };
    Failure { kind, exception, message }
}

pub(crate) fn evaluator(py: Python<'_>) -> PyResult<Rc<Evaluator>> {
    Ok(Session::of(py)?.borrow().evaluator.clone())
}

pub(crate) fn config(py: Python<'_>, mc: &str) -> PyResult<Rc<BaseConfig>> {
    let session = Session::of(py)?;
    let session = session.borrow();
    let configs = session.configs.borrow();
    configs
        .iter()
        .find(|config| config.mc == mc)
        .cloned()
        .ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(format!("there is no multiconfig `{mc}`")))
}

/// A configuration whose recipes are signed as they are evaluated.
pub(crate) fn signing_config(py: Python<'_>, mc: &str) -> PyResult<Rc<BaseConfig>> {
    let config = config(py, mc)?;
    if !config.signs() {
        config.sign_with(signature_cache(py, &config.data)?);
    }
    Ok(config)
}

fn configure_all(py: Python<'_>, configure: Configure) -> PyResult<Vec<Configuration>> {
    let options = ConfigOptions {
        env: configure.env,
        pre_files: configure.pre_files,
        post_files: configure.post_files,
        track_history: configure.track_history,
        command_line: configure.command_line,
    };
    let evaluator = evaluator(py)?;
    let configs = evaluator.base_configs(&options).or_raise(py)?;
    let mut summaries = Vec::new();
    for config in &configs {
        summaries.push(summary(py, &evaluator, config)?);
    }
    let session = Session::of(py)?;
    let session = session.borrow();
    session.context.seal_base();
    *session.configs.borrow_mut() = configs.into_iter().map(Rc::new).collect();
    Ok(summaries)
}

fn summary(py: Python<'_>, evaluator: &Evaluator, config: &BaseConfig) -> PyResult<Configuration> {
    let d = &config.data;
    let collected = evaluator.collect_checked(config).or_raise(py)?;
    let get = |name: &str| -> PyResult<String> { Ok(d.get_or_empty(name).or_raise(py)?.to_string()) };
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    let mut files = dependencies(d, "__base_depends");
    files.extend(library_files(py)?);
    let variables = values(py, d)?;
    let ignored = get("BB_HASHCONFIG_IGNORE_VARS")?;
    // Files have their own times and contents to tell whether they changed.
    let ignored: Vec<&str> = ignored.split_whitespace().chain(["__base_depends", "__depends"]).collect();
    let mut layers = Vec::new();
    for path in words(get("BBLAYERS")?) {
        let path = path.trim_end_matches('/').to_owned();
        let layer = config.rules.layer_of(&format!("{path}/"));
        layers.push(LayerInfo {
            name: layer.map_or(String::new(), |l| l.name.clone()),
            pattern: layer.map_or(String::new(), |l| l.pattern.clone()),
            priority: layer.map_or(0, |l| l.priority),
            path,
        });
    }
    Ok(Configuration {
        mc: config.mc.clone(),
        recipes: collected.recipes,
        masked: collected.masked,
        overlayed: collected.overlayed,
        patterns: words(get("BBFILES_PRIORITIZED")?),
        found: collected.found,
        files,
        topdir: get("TOPDIR")?,
        layers,
        variables,
        signature_module: py
            .import("bb.siggen")?
            .call_method1("module_of", (get("BB_SIGNATURE_HANDLER")?,))?
            .extract()?,
        digest: d.digest(&ignored),
    })
}

/// Files of the layers' Python libraries that have been imported.
fn library_files(py: Python<'_>) -> PyResult<Vec<String>> {
    py.import("bitzel_host.libraries")?.call_method0("imported_files")?.extract()
}

fn evaluate(py: Python<'_>, mc: &str, recipe: &RecipeFile) -> PyResult<Record> {
    let config = signing_config(py, mc)?;
    let session = Session::of(py)?;
    let mut result = Evaluated::default();
    // DIFFERS: made before later variants are evaluated; functions that these define anew are not
    // those that inline code of this one calls.
    let mut keep = |variant: Variant| {
        let Variant { name, data: d, signatures } = variant;
        let mut info = bitzel_recipe::recipe_info(&d, &recipe.appends)?;
        if let Some(signatures) = signatures
            && !info.skipped
        {
            let owned = |(task, hash): (&str, &str)| (task.to_owned(), hash.to_owned());
            info.basehashes = signatures.base_hashes().map(owned).collect();
        }
        result.variants.push((name, info));
        for path in dependencies(&d, "__depends") {
            if !result.files.contains(&path) {
                result.files.push(path);
            }
        }
        drop(d);
        session.borrow().collect_garbage(py);
        Ok(())
    };
    let evaluated = evaluator(py)?.recipe_each(&config, recipe, None, &mut keep);
    evaluated.map_err(|error| from_recipe_error(py, error))?;
    Ok(Record::pack(&result)?)
}

fn variables(py: Python<'_>, mc: &str) -> PyResult<BTreeMap<String, String>> {
    values(py, &config(py, mc)?.data)
}

/// All variables that have a value and are no functions, names and values expanded.
fn values(py: Python<'_>, d: &DataStore) -> PyResult<BTreeMap<String, String>> {
    let d = d.create_copy();
    bitzel_recipe::expand_keys(&d).or_raise(py)?;
    let mut result = BTreeMap::new();
    for name in d.keys() {
        let function = d.get_own_flag(&name, "func").is_some();
        if !function && let Ok(Some(value)) = d.get_str(&name) {
            result.insert(name.to_string(), value.to_string());
        }
    }
    Ok(result)
}

fn call(py: Python<'_>, name: &str, arguments: Vec<String>) -> PyResult<String> {
    py.import("bitzel_host.commands")?.getattr(name)?.call1((arguments,))?.extract()
}

/// The datastore of a configuration, its names expanded.
#[pyfunction]
pub fn config_data<'py>(py: Python<'py>, mc: &str) -> PyResult<Bound<'py, PyAny>> {
    let d = config(py, mc)?.data.create_copy();
    bitzel_recipe::expand_keys(&d).or_raise(py)?;
    Ok(Bound::new(py, DataSmart::from(d))?.into_any())
}

/// Makes a datastore what `bitbake -e` shows of it.
#[pyfunction]
pub fn as_shown(py: Python<'_>, d: &DataSmart) -> PyResult<()> {
    let d = &d.store;
    // BitBake: set when recipes are collected, which is not shown.
    d.delete("BBFILES_PRIORITIZED", &bitzel_data::SetInfo::quiet_parsing());
    // BitBake: settled before anything is shown.
    if let Some(log) = d.get("BB_CONSOLELOG").or_raise(py)? {
        d.set("BB_CONSOLELOG", log, &bitzel_data::SetInfo::default()).or_raise(py)?;
    }
    Ok(())
}

/// As [`config_data`], after the anonymous functions that classes of the configuration define.
#[pyfunction]
pub fn config_environment<'py>(py: Python<'py>, mc: &str) -> PyResult<Bound<'py, PyAny>> {
    let d = config(py, mc)?.data.create_copy();
    bitzel_recipe::expand_keys(&d).or_raise(py)?;
    evaluator(py)?.run_anonymous(&d).or_raise(py)?;
    Ok(Bound::new(py, DataSmart::from(d))?.into_any())
}

/// The datastore of a recipe's variant; None where there is no such variant.
#[pyfunction]
pub fn recipe_data<'py>(
    py: Python<'py>,
    mc: &str,
    path: &str,
    appends: Vec<String>,
    layer: &str,
    variant: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let config = config(py, mc)?;
    let recipe = RecipeFile { path: path.to_owned(), appends, layer: layer.to_owned(), priority: 0 };
    let variants = evaluator(py)?.recipe(&config, &recipe, None).or_raise(py)?;
    match variants.get(variant) {
        Some(d) => Ok(Bound::new(py, DataSmart::from(d.clone()))?.into_any()),
        None => to_python(py, &bitzel_data::Value::None),
    }
}

fn export(py: Python<'_>, shard: &ExportShard) -> PyResult<usize> {
    let configs = Session::of(py)?.borrow().configs.borrow().clone();
    let lookup = |config: &Rc<BaseConfig>| {
        let data = config.data.clone();
        move |name: &str| Ok(data.get_or_empty(name)?.to_string())
    };
    let lookups: Vec<_> = configs.iter().map(lookup).collect();
    let lookups: Vec<Lookup<'_>> = lookups.iter().map(|lookup| lookup as Lookup<'_>).collect();
    let places =
        Places { bitbake: shard.bitbake.clone(), home: shard.home.clone(), user: shard.user.clone() };
    let normaliser = Normaliser::new(&lookups, &places).or_raise(py)?;
    if shard.number == 0 {
        export_configs(py, shard, &configs, &normaliser)?;
    }
    let failed = |error: io::Error| cannot_write(&shard.out, &error);
    let create = |name: String| LinesFile::create(&Path::new(&shard.out).join(name), 3).map_err(failed);
    let mut file = create(format!("recipes-{}.jsonl.zst", shard.number))?;
    let mut blobs = Blobs::new(create(format!("blobs-{}.jsonl.zst", shard.number))?);
    let mut signatures = create(format!("sig-{}.jsonl.zst", shard.number))?;
    let mut count = 0;
    for (mc, recipe) in &shard.recipes {
        let config = signing_config(py, mc)?;
        let id = |variant: &str| {
            RecipeId { mc: mc.clone(), variant: variant.to_owned(), file: recipe.path.clone() }.to_string()
        };
        match evaluator(py)?.recipe(&config, recipe, None) {
            Err(error) => {
                let fatal = format!("{}: {error}", error.exception());
                let json = serde_json::json!({"mcfn": normaliser.text(&id("")), "fn": normaliser.text(&recipe.path), "fatal": fatal});
                file.line(&json).map_err(failed)?;
            }
            Ok(variants) => {
                for Variant { name, data: d, signatures: signed } in variants.iter() {
                    let json = signature_record(&id(name), signed.as_ref(), &normaliser);
                    signatures.line(&json).map_err(failed)?;
                    let kind = RecordKind::Recipe { appends: &recipe.appends };
                    let json = record(d, &recipe.path, name, &id(name), &kind, &normaliser, &mut blobs);
                    file.line(&json.map_err(failed)?).map_err(failed)?;
                    count += 1;
                }
            }
        }
    }
    file.finish().map_err(failed)?;
    signatures.finish().map_err(failed)?;
    blobs.finish().map_err(failed)?;
    Ok(count)
}

fn export_configs(
    py: Python<'_>,
    shard: &ExportShard,
    configs: &[Rc<BaseConfig>],
    normaliser: &Normaliser,
) -> PyResult<()> {
    let failed = |error: io::Error| cannot_write(&shard.out, &error);
    let create = |name: &str| LinesFile::create(&Path::new(&shard.out).join(name), 3).map_err(failed);
    let mut blobs = Blobs::new(create("blobs-config.jsonl.zst")?);
    let mut file = create("config.jsonl.zst")?;
    for config in configs {
        let d = config.data.create_copy();
        bitzel_recipe::expand_keys(&d).or_raise(py)?;
        // BitBake: set when recipes are collected; the configuration alone has none.
        d.delete("BBFILES_PRIORITIZED", &bitzel_data::SetInfo::quiet_parsing());
        let mcfn = if config.mc.is_empty() { String::new() } else { format!("mc:{}:", config.mc) };
        let json = record(&d, "", "", &mcfn, &RecordKind::Config, normaliser, &mut blobs).map_err(failed)?;
        file.line(&json).map_err(failed)?;
    }
    file.finish().map_err(failed)?;
    blobs.finish().map_err(failed)?;
    let meta = serde_json::json!({
        "format": 2, "normalised": true, "places": normaliser.places(), "raw": true, "sig": true, "sample": 1,
    });
    std::fs::write(Path::new(&shard.out).join("meta.json"), format!("{meta}\n")).map_err(failed)
}

fn cannot_write(out: &str, error: &io::Error) -> PyErr {
    pyo3::exceptions::PyOSError::new_err(format!("cannot write the export to `{out}`: {error}"))
}
