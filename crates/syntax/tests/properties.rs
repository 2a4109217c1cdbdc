//! What holds for every text.

use bitzel_base::CompatLevel;
use bitzel_syntax::{FileKind, Parse, Severity, StatementKind, parse};
use proptest::prelude::*;

/// Pieces that texts close to BitBake's language are made of.
const PIECES: [&str; 54] = [
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\\\n",
    "\\ \n",
    " ",
    "  ",
    "\t",
    "\u{a0}",
    "\x0b",
    "\x1c",
    "#",
    "# c",
    "FOO",
    "FOO:append",
    "${X}",
    "do_x",
    "[a]",
    "[ab",
    "]",
    "=",
    ":=",
    "??=",
    "?=",
    "+=",
    "=+",
    ".=",
    "=.",
    "\"",
    "'",
    "\"a b\"",
    "export ",
    "unset ",
    "inherit ",
    "inherit_defer ",
    "include ",
    "include_all ",
    "require ",
    "addtask ",
    "deltask ",
    "after ",
    "before ",
    "addhandler ",
    "EXPORT_FUNCTIONS ",
    "addpylib ",
    "addfragments ",
    "python ",
    "fakeroot ",
    "do_x() {\n",
    "}\n",
    "def f(d):\n",
    "é",
];

fn likely_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![likely_text(), any::<String>()]
}

fn all_ways(text: &str) -> impl Iterator<Item = Parse> {
    let kinds = [FileKind::Conf, FileKind::Recipe];
    let levels = [CompatLevel::V2_8, CompatLevel::V2_18];
    kinds.into_iter().flat_map(move |kind| levels.map(|level| parse(text, kind, level, true)))
}

/// Statements that stand on lines of their own, and lines that are none.
fn statement_lines() -> impl Strategy<Value = Vec<(&'static str, bool)>> {
    let good = [
        "A = \"b\"\n",
        "export A\n",
        "B[c] += 'd'\n",
        "unset A\n",
        "require x.inc\n",
        "f() {\n a\n}\n",
        "# c\n",
        "\n",
        "C = \"a \\\n b\"\n",
        "inherit x\n",
    ];
    let bad = ["A = b\n", "}\n", "  A = \"b\"\n", "A B\n", "f()\n", "= \"a\"\n", "A = \"b\n"];
    let line = prop_oneof![
        prop::sample::select(good.to_vec()).prop_map(|line| (line, true)),
        prop::sample::select(bad.to_vec()).prop_map(|line| (line, false)),
    ];
    prop::collection::vec(line, 0..20)
}

proptest! {
    #[test]
    fn the_tree_is_the_text(text in text()) {
        for parsed in all_ways(&text) {
            prop_assert_eq!(parsed.syntax().text().to_string(), text.as_str());
        }
    }

    #[test]
    fn lines_are_lines_of_the_file_and_never_go_back(text in text()) {
        let last = text.replace("\r\n", "\n").replace('\r', "\n").lines().count() as u32 + 1;
        for parsed in all_ways(&text) {
            let lines: Vec<u32> = parsed.statements().iter().map(|statement| statement.line).collect();
            prop_assert!(lines.is_sorted());
            prop_assert!(lines.iter().all(|line| (1..=last).contains(line)));
            prop_assert!(parsed.diagnostics().iter().all(|d| (1..=last).contains(&d.line)));
        }
    }

    #[test]
    fn bad_lines_hide_no_statement(lines in statement_lines()) {
        let all: String = lines.iter().map(|(line, _)| *line).collect();
        let good: String = lines.iter().filter(|(_, good)| *good).map(|(line, _)| *line).collect();
        let kinds = |text: &str| -> Vec<StatementKind> {
            let parsed = parse(text, FileKind::Recipe, CompatLevel::V2_18, false);
            parsed.statements().iter().map(|statement| without_line(&statement.kind)).collect()
        };
        prop_assert_eq!(kinds(&all), kinds(&good));
        let bad = lines.iter().filter(|(_, good)| !good).count();
        let parsed = parse(&all, FileKind::Recipe, CompatLevel::V2_18, false);
        prop_assert_eq!(parsed.diagnostics().iter().filter(|d| d.severity() > Severity::Warning).count(), bad);
    }

    #[test]
    fn a_quoted_value_is_kept_as_it_is(value in "[^\"\\\\\r\n]*") {
        let text = format!("A = \"{value}\"\n");
        for parsed in all_ways(&text) {
            let [statement] = &parsed.statements()[..] else { panic!("one statement in {text:?}") };
            let StatementKind::Assign { value: found, .. } = &statement.kind else { panic!("an assignment") };
            prop_assert_eq!(&**found, value.as_str());
        }
    }
}

fn without_line(kind: &StatementKind) -> StatementKind {
    let mut kind = kind.clone();
    if let StatementKind::Function { body_line, .. } = &mut kind {
        *body_line = 0;
    }
    kind
}
