//! Validation of project files against the schema of kas 5.4, with all
//! problems, their lines and what to do about them.

use crate::json::to_json;
use crate::value::Value;
use crate::yaml::Document;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};

/// The newest format version that is read.
pub const FORMAT_VERSION: i128 = 23;
/// The oldest format version that is read.
pub const OLDEST_FORMAT_VERSION: i128 = 1;
/// What files from before the versions were counted have for version 1.
const OLDEST_VERSION_TEXT: &str = "0.10";
/// Where the format is described.
pub const FORMAT_URL: &str = "https://kas.readthedocs.io/en/5.4/userguide/project-configuration.html";

/// One thing that is wrong with a project file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Counted from 1; `None` where it is unknown (JSON that is no YAML).
    pub line: Option<u32>,
    /// The value's place, keys joined by dots (`repos.poky.layers`); empty
    /// for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it, where that is known.
    pub remedy: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// The compiled schema.
pub struct Schema {
    text: serde_json::Value,
    validator: Validator,
    refuses: Refuses,
}

/// What is refused of that which the schema takes and kas ends in a traceback on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Refuses {
    /// All, as kas has no use for it.
    #[default]
    All,
    /// Names that are no texts; the version `"0.10"` is read as version 1.
    Names,
    /// Nothing, for a look at keys that have nothing to do with it.
    Nothing,
}

impl Schema {
    /// The schema of kas 5.4.
    pub fn new() -> Schema {
        let text: serde_json::Value =
            serde_json::from_str(include_str!("schema-kas.json")).expect("the shipped schema is JSON");
        let validator = jsonschema::draft7::new(&text).expect("the shipped schema is valid");
        Schema { text, validator, refuses: Refuses::All }
    }

    /// The same schema, refusing what `refuses` says.
    #[must_use]
    pub fn refusing(self, refuses: Refuses) -> Schema {
        Schema { refuses, ..self }
    }

    /// Everything that is wrong with a file, in the order of the file.
    pub fn check(&self, document: &Document) -> Vec<Problem> {
        let json = to_json(&document.value);
        let mut problems = Vec::new();
        for error in self.validator.iter_errors(&json) {
            self.explain(&error, document, &mut problems);
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// What the schema takes and is refused all the same, in no order.
    pub fn unusable(&self, document: &Document) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.refuses == Refuses::Nothing {
            return problems;
        }
        refuse_numbers_as_names(document, &mut problems);
        let version = lookup(&document.value, "/header/version").and_then(Value::as_str);
        if self.refuses == Refuses::All && version == Some(OLDEST_VERSION_TEXT) {
            let what = format!("kas has no use for `{OLDEST_VERSION_TEXT}`, though its schema takes it");
            problems.push(problem("/header/version", what, Some("write `version: 1`".to_owned()), document));
        }
        problems
    }

    fn explain(&self, error: &ValidationError<'_>, document: &Document, out: &mut Vec<Problem>) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                if let Some(branch) =
                    context.iter().find(|branch| !branch.iter().any(|e| misfits(e, pointer)))
                {
                    branch.iter().for_each(|e| self.explain(e, document, out));
                    return;
                }
                let expected: Vec<String> =
                    context.iter().flatten().filter(|e| misfits(e, pointer)).map(expectation).collect();
                out.push(self.mismatch(pointer, &expected.join(" or "), document));
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = self.known_keys(error.schema_path().as_str());
                out.extend(unexpected.iter().map(|key| unknown_key(pointer, key, &known, document)));
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let remedy = match (pointer, key) {
                    ("", "header") => {
                        Some(format!("start the file with `header: {{version: {FORMAT_VERSION}}}`"))
                    }
                    _ => Some(format!("add `{key}: ...`")),
                };
                out.push(problem(pointer, format!("the key `{key}` is missing"), remedy, document));
            }
            ValidationErrorKind::Type { .. }
            | ValidationErrorKind::Constant { .. }
            | ValidationErrorKind::Enum { .. } => {
                out.push(self.mismatch(pointer, &expectation(error), document));
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                out.push(problem(
                    pointer,
                    "`path` and `gpg_keyserver` exclude each other".to_owned(),
                    None,
                    document,
                ));
            }
            _ => out.push(problem(pointer, error.to_string(), None, document)),
        }
    }

    /// "expected X, found Y", with what helps for the usual slips.
    fn mismatch(&self, pointer: &str, expected: &str, document: &Document) -> Problem {
        let found = lookup(&document.value, pointer);
        let remedy = match found {
            _ if pointer == "/header/version" => {
                Some(format!("versions {OLDEST_FORMAT_VERSION} to {FORMAT_VERSION} are supported"))
            }
            Some(Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Opaque(_))
                if expected.contains("a text") =>
            {
                Some("put the value in quotes".to_owned())
            }
            Some(Value::Str(text)) => {
                let options =
                    expected.split('`').filter(|o| !o.trim_matches([',', ' ', 'o', 'r']).is_empty());
                closest(text, options).map(|close| format!("did you mean `{close}`?"))
            }
            _ => None,
        };
        let found = match found {
            Some(Value::Str(text)) => format!("`{text}`"),
            Some(Value::Int(number)) => format!("`{number}`"),
            Some(other) => other.kind().to_owned(),
            None => "nothing".to_owned(),
        };
        problem(pointer, format!("expected {expected}, found {found}"), remedy, document)
    }

    /// The keys the schema knows beside the rule at `schema_path`.
    fn known_keys(&self, schema_path: &str) -> Vec<&str> {
        let parent = schema_path.rfind('/').map_or("", |at| &schema_path[..at]);
        let properties = self.text.pointer(parent).and_then(|rule| rule.get("properties"));
        properties
            .and_then(|p| p.as_object())
            .map(|p| p.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

impl Default for Schema {
    fn default() -> Schema {
        Schema::new()
    }
}

/// Whether an error says that the value itself is of the wrong kind, so that
/// this branch of alternatives is not the one that was meant.
fn misfits(error: &ValidationError<'_>, pointer: &str) -> bool {
    use ValidationErrorKind as Kind;
    error.instance_path().as_str() == pointer
        && matches!(
            error.kind(),
            Kind::Type { .. }
                | Kind::Constant { .. }
                | Kind::Enum { .. }
                | Kind::Minimum { .. }
                | Kind::Maximum { .. }
                | Kind::MinLength { .. }
                | Kind::MaxLength { .. }
        )
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "a text",
    }
}

fn expectation(error: &ValidationError<'_>) -> String {
    let quoted = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => type_name(*kind).to_owned(),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(kinds) } => {
            kinds.iter().map(type_name).collect::<Vec<_>>().join(" or ")
        }
        ValidationErrorKind::Constant { expected_value } => quoted(expected_value),
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(|o| o.iter().map(quoted).collect::<Vec<_>>());
            options.unwrap_or_default().join(", ")
        }
        ValidationErrorKind::Minimum { limit } => format!("a number of at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("a number of at most {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("a text of at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("a text of at most {limit} characters"),
        _ => error.to_string(),
    }
}

fn unknown_key(pointer: &str, key: &str, known: &[&str], document: &Document) -> Problem {
    let remedy = match closest(key, known.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("known keys here: {}", known.join(", ")),
    };
    problem(&child(pointer, key), "this key is not known here".to_owned(), Some(remedy), document)
}

/// Names of repositories, layers and variables that YAML takes for numbers or
/// booleans: kas ends in a traceback.
fn refuse_numbers_as_names(document: &Document, out: &mut Vec<Problem>) {
    let root = &document.value;
    let mut check = |pointer: &str| {
        let names = lookup(root, pointer).and_then(Value::as_map).into_iter().flat_map(|map| map.keys());
        for name in names.filter(|name| !name.is_text()) {
            let what = format!("names are texts, YAML takes this one for `{name}`");
            out.push(problem(&child(pointer, name), what, Some("put it in quotes".to_owned()), document));
        }
    };
    check("/env");
    check("/repos");
    for id in root.get("repos").and_then(Value::as_map).into_iter().flat_map(|repos| repos.keys()) {
        check(&format!("{}/layers", child("/repos", id)));
    }
}

/// The JSON pointer of a key in the mapping at `pointer`.
fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn problem(pointer: &str, what: String, remedy: Option<String>, document: &Document) -> Problem {
    let path: Vec<String> =
        pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    Problem { line: document.lines.line(pointer), path: path.join("."), what, remedy }
}

fn lookup<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(root, |value, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match value {
            Value::Seq(items) => items.get(part.parse::<usize>().ok()?),
            other => other.child(&part),
        }
    })
}

/// The option that is one slip away from `word`, if any is.
pub fn closest<'a>(word: &str, options: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similar = |option: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &option.to_lowercase());
    let best = options.into_iter().map(|option| (similar(option), option)).min()?;
    (best.0 <= 2.max(word.chars().count() / 3) && best.0 < best.1.chars().count()).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn problems(text: &str) -> Vec<String> {
        problems_of(&Schema::new(), text)
    }

    fn problems_of(schema: &Schema, text: &str) -> Vec<String> {
        let document = parse(text.as_bytes()).unwrap();
        let mut problems = schema.check(&document);
        problems.extend(schema.unusable(&document));
        problems.sort();
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_good_file_has_no_problems() {
        let text = "header: {version: 23, includes: [a.yml, {repo: x, file: b.yml}]}\nrepos:\n  x:\n  y: {url: u, \
                    layers: {m: disabled, n: {prio: 3}, o: 0}}\ntarget: [a, b]\nenv: {A: null}\n";
        assert_eq!(problems(text), Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_told_with_line_path_and_remedy() {
        let text = "header:\n  version: 23\nrepos:\n  x:\n    url: u\n    brnch: main\n    layers:\n      m: maybe\nenv:\n  A: yes\nmachin: m\n";
        assert_eq!(
            problems(text),
            [
                "line 6: `repos.x.brnch`: this key is not known here; did you mean `branch`?",
                "line 8: `repos.x.layers.m`: expected nothing or `disabled` or `excluded`, `n`, `no`, `0`, `false`, `0`, `false` or a mapping, found `maybe`",
                "line 10: `env.A`: expected nothing or a text, found a boolean; put the value in quotes",
                "line 11: `machin`: this key is not known here; did you mean `machine`?",
            ]
        );
    }

    #[test]
    fn names_that_yaml_takes_for_numbers_are_refused_and_numbered_ids_are_not() {
        let text = "header: {version: 23}\nrepos:\n  x:\n    layers:\n      off: disabled\n    patches:\n      1: {path: p}\nenv: {1: a}\nlocal_conf_header: {10: a}\n";
        assert_eq!(
            problems(text),
            [
                "line 5: `repos.x.layers.False`: names are texts, YAML takes this one for `False`; put it in quotes",
                "line 8: `env.1`: names are texts, YAML takes this one for `1`; put it in quotes",
            ]
        );
    }

    #[test]
    fn header_version_and_shape_are_checked() {
        assert_eq!(
            problems("header: {version: 24}\n"),
            [
                "line 1: `header.version`: expected `0.10` or a number of at most 23, found `24`; versions 1 to 23 are supported"
            ]
        );
        assert_eq!(
            problems("{}"),
            ["line 1: the key `header` is missing; start the file with `header: {version: 23}`"]
        );
        assert_eq!(problems("- a\n"), ["line 1: expected a mapping, found a list"]);
        assert!(problems("header: {version: 0.10}\n")[0].contains("found a number"));
        assert!(problems("header: {version: 2024-01-01}\n")[0].contains("found a date"));
    }

    #[test]
    fn the_oldest_version_text_is_read_where_asked_for() {
        let text = "header: {version: \"0.10\"}\n";
        let told = "line 1: `header.version`: kas has no use for `0.10`, though its schema takes it; write `version: 1`";
        assert_eq!(problems(text), [told]);
        assert_eq!(problems_of(&Schema::new().refusing(Refuses::Names), text), Vec::<String>::new());
    }
}
