//! Time for what the evaluation of a recipe does most: expanding values, taking over a store,
//! writing to it, and signing it.

#![allow(missing_docs, reason = "criterion's macros make functions without any")]

use bitzel_base::CompatLevel;
use bitzel_data::{Context, DataStore, Library, NoPython, SetInfo, SignatureCache, Value, sign};
use bitzel_scan::NoVisitor;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::rc::Rc;

/// Variables that refer to one another, each with a version for an override, and tasks that
/// refer to all of them.
fn store() -> DataStore {
    let store = DataStore::new(&Context::new(Rc::new(NoPython), CompatLevel::V2_18));
    let set = |name: &str, value: &str| {
        store.set(name, Value::str(value), &SetInfo::default()).expect("a plain name");
    };
    set("OVERRIDES", "linux:x86-64:${PN}");
    set("PN", "busybox");
    for number in 0..500 {
        set(&format!("V{number}"), &format!("/tree/${{PN}}/${{V{}}}", number / 2 + 1000));
        set(&format!("V{number}:x86-64"), &format!("${{PN}}-{number}"));
        set(&format!("V{}", number + 1000), "usr lib share");
    }
    for task in 0..20 {
        let body: String = (0..500).map(|number| format!("\tinstall ${{V{number}}}\n")).collect();
        let name = format!("do_task{task}");
        set(&name, &body);
        let info = SetInfo::default();
        store.set_flag(&name, "func", Value::Int(1), &info).expect("a plain name");
    }
    store
}

fn benches(c: &mut Criterion) {
    let base = store();
    let names: Vec<String> = (0..500).map(|number| format!("V{number}")).collect();
    let expand = |store: &DataStore| {
        for name in &names {
            black_box(store.get(name).expect("it can be expanded"));
        }
    };
    c.bench_function("expand 500 values", |b| {
        b.iter_batched_ref(store, |store| expand(store), BatchSize::LargeInput)
    });
    expand(&base);
    c.bench_function("expand 500 values, known from the store copied", |b| {
        b.iter_batched_ref(|| base.create_copy(), |copy| expand(copy), BatchSize::LargeInput)
    });
    c.bench_function("copy a store of 1500 variables", |b| b.iter(|| base.create_copy()));
    c.bench_function("write 500 variables of a copy", |b| {
        let write = |copy: &mut DataStore| {
            for name in &names {
                copy.set(name, Value::str("x"), &SetInfo::default()).expect("a plain name");
            }
        };
        b.iter_batched_ref(|| base.create_copy(), write, BatchSize::LargeInput)
    });
    let tasks: Vec<Rc<str>> = (0..20).map(|task| format!("do_task{task}").into()).collect();
    let library = Library::new(Vec::new(), &base).expect("an empty library");
    let mut cache = SignatureCache::new(&base, library, Box::new(NoVisitor)).expect("nothing to expand");
    c.bench_function("sign 20 tasks", |b| {
        b.iter(|| black_box(sign(&base, &tasks, &mut cache).expect("it can be signed")).base_hashes().count())
    });
}

criterion_group!(store_benches, benches);
criterion_main!(store_benches);
