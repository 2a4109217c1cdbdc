//! What holds for any text.

use bitzel_base::CompatLevel;
use bitzel_scan::{scan_python, scan_shell};
use proptest::prelude::*;

/// Pieces of shell text, so that much of what they make up is shell text.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b c",
        " ",
        "\n",
        ";",
        "; ",
        "&&",
        "|",
        "&",
        "(",
        ")",
        "{ ",
        "; }",
        "if ",
        "; then ",
        "; fi",
        "$(",
        "`",
        "\"",
        "'",
        "\\",
        "$",
        "${",
        "}",
        "#",
        "<<E\n",
        "\nE\n",
        "x=",
        "f()",
        "case a in b) ",
        ";; esac",
        "for i in ",
        "; do ",
        "; done",
        "eval ",
        "! ",
        ">x",
        "2>&1",
        "$((",
    ])
}

proptest! {
    #[test]
    fn shell_text_is_taken_or_refused_without_panic(pieces in prop::collection::vec(piece(), 0..24)) {
        let text = pieces.concat();
        for level in [CompatLevel::V2_8, CompatLevel::V2_18] {
            if let Ok(refs) = scan_shell(&text, level) {
                prop_assert!(refs.execs.is_disjoint(&refs.functions));
            }
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_without_panic(text in "\\PC{0,60}") {
        drop(scan_shell(&text, CompatLevel::V2_18));
        drop(scan_python(&text, CompatLevel::V2_18));
    }

    #[test]
    fn commands_of_two_texts_add_up(names in prop::collection::vec("[a-z]{1,2}[0-9]", 1..8)) {
        let text = names.join(" arg; ");
        let refs = scan_shell(&text, CompatLevel::V2_18).expect("plain commands are shell text");
        let found: Vec<_> = refs.execs.iter().map(ToString::to_string).collect();
        let mut expected = names.clone();
        expected.sort();
        expected.dedup();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn indenting_python_changes_nothing(names in prop::collection::vec("[A-Z]{1,3}", 1..6)) {
        let lines: Vec<_> = names.iter().map(|name| format!("d.getVar('{name}')\n")).collect();
        let indented: String = lines.iter().map(|line| format!("    {line}")).collect();
        let level = CompatLevel::V2_18;
        prop_assert_eq!(scan_python(&lines.concat(), level), scan_python(&indented, level));
    }
}

#[test]
fn deep_nesting_is_refused() {
    let level = CompatLevel::V2_18;
    for (open, close) in [("(", ")"), ("{ ", "; }"), ("$(", ")"), ("\"$(", ")\""), ("if ", "")] {
        let text = format!("{}b{}", open.repeat(2000), close.repeat(2000));
        assert!(scan_shell(&text, level).is_err(), "{open}");
    }
    for (open, close) in [("(", ")"), ("f(", ")"), ("[", "]")] {
        let text = format!("{}b{}", open.repeat(2000), close.repeat(2000));
        assert!(scan_python(&text, level).is_err(), "{open}");
    }
}
