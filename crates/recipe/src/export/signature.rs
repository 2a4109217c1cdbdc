//! One record of signatures: what a recipe's tasks stand on, and their base hashes.

use super::normalise::Normaliser;
use bitzel_data::{Signatures, Value};
use serde_json::{Map, Value as Json, json};

/// The record of a recipe's signatures; that of a skipped recipe has none.
pub fn signature_record(mcfn: &str, signatures: Option<&Signatures>, n: &Normaliser) -> Json {
    let (mut basehash, mut gendeps, mut varvals) = (Map::new(), Map::new(), Map::new());
    let text = |text: &str| n.text(text).into_owned();
    if let Some(signatures) = signatures {
        for (task, hash) in signatures.base_hashes() {
            basehash.insert(text(task), json!(hash));
        }
        for (name, dependencies, value) in signatures.nodes() {
            let mut names: Vec<String> = dependencies.into_iter().map(text).collect();
            names.sort_unstable();
            gendeps.insert(text(name), json!(names));
            let value = match value {
                None => Json::Null,
                Some(Value::Str(value)) => json!(n.text(value)),
                Some(Value::Int(number)) => json!(number),
                Some(Value::Bool(truth)) => json!(truth),
                Some(other) => json!(format!("{other:?}")),
            };
            varvals.insert(text(name), value);
        }
    }
    json!({ "mcfn": text(mcfn), "basehash": basehash, "gendeps": gendeps, "varvals": varvals, "pathdep": [] })
}
