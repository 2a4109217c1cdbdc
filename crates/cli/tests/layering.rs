//! Crates depend on crates of lower layers only, and the metadata half and the
//! execution half never name each other below the engine.

use std::collections::BTreeMap;
use std::process::Command;

/// Layer and side of each crate (ARCHITECTURE.md has the same table).
const LAYERS: [(&str, u32, char); 17] = [
    ("bitzel-base", 0, '-'),
    ("bitzel-syntax", 1, 'M'),
    ("bitzel-scan", 1, 'M'),
    ("bitzel-project", 1, 'M'),
    ("bitzel-hashserv", 1, 'M'),
    ("bitzel-data", 2, 'M'),
    ("bitzel-exec", 2, 'X'),
    ("bitzel-fetch", 2, 'X'),
    ("bitzel-kas", 2, 'M'),
    ("bitzel-recipe", 3, 'M'),
    ("bitzel-taskgraph", 4, 'M'),
    ("bitzel-python", 5, '-'),
    ("bitzel-host", 5, 'M'),
    ("bitzel-query", 5, 'M'),
    ("bitzel-workspace", 6, 'M'),
    ("bitzel-engine", 7, '-'),
    ("bitzel", 8, '-'),
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut result = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let needs = package["dependencies"].as_array().unwrap().iter();
        let needs =
            needs.filter(|dep| dep["kind"].is_null()).map(|dep| dep["name"].as_str().unwrap().to_owned());
        result.insert(
            package["name"].as_str().unwrap().to_owned(),
            needs.filter(|name| name.starts_with("bitzel")).collect(),
        );
    }
    result
}

#[test]
fn crates_depend_on_lower_layers_of_their_own_side_only() {
    let layers: BTreeMap<&str, (u32, char)> =
        LAYERS.iter().map(|&(name, l, side)| (name, (l, side))).collect();
    let all = dependencies();
    assert!(all.len() > 10, "cargo metadata names the workspace's crates");
    for (name, needs) in &all {
        let &(layer, side) = layers.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no layer"));
        for need in needs {
            let &(below, other) = layers.get(need.as_str()).unwrap_or_else(|| panic!("{need} has no layer"));
            assert!(below < layer, "{name} (layer {layer}) depends on {need} (layer {below})");
            let mixed = (side == 'M' && other == 'X') || (side == 'X' && other == 'M');
            assert!(!mixed, "{name} and {need} are of different sides");
        }
    }
}
