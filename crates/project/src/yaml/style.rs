//! Which style PyYAML's emitter picks for a text: plain, quoted or literal.

use super::scalar::{self, Tag};

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What the characters of a text allow.
pub(super) struct Analysis {
    pub multiline: bool,
    plain: bool,
    single: bool,
    block: bool,
}

/// PyYAML's line breaks.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_white(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

/// Block indicators: what a plain scalar must not have.
fn has_indicators(text: &[char]) -> bool {
    let starts = |with: &str| text.iter().copied().take(3).eq(with.chars());
    if starts("---") || starts("...") {
        return true;
    }
    text.iter().enumerate().any(|(i, &c)| {
        let white_before = i == 0 || is_white(text[i - 1]);
        let white_after = text.get(i + 1).is_none_or(|next| is_white(*next));
        match c {
            '#' => white_before,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                i == 0
            }
            '?' | '-' => i == 0 && white_after,
            ':' => white_after,
            _ => false,
        }
    })
}

/// Looks at every character once.
pub(super) fn analyse(text: &[char]) -> Analysis {
    if text.is_empty() {
        return Analysis { multiline: false, plain: true, single: true, block: false };
    }
    let special = text.iter().any(|&c| !(c == '\n' || (' '..='~').contains(&c)));
    let pairs = || text.windows(2);
    let break_space = pairs().any(|p| is_break(p[0]) && p[1] == ' ');
    let space_break = pairs().any(|p| p[0] == ' ' && is_break(p[1]));
    let multiline = text.iter().any(|c| is_break(*c));
    let edge = |c: Option<&char>| c.is_some_and(|c| *c == ' ' || is_break(*c));
    let ragged = edge(text.first()) || edge(text.last());
    let quoted_only = space_break || special;
    Analysis {
        multiline,
        plain: !(ragged || break_space || quoted_only || multiline || has_indicators(text)),
        single: !(break_space || quoted_only),
        block: !(text.last() == Some(&' ') || quoted_only),
    }
}

/// The style of a text value or key.
pub(super) fn choose(text: &str, analysis: &Analysis, key: bool, literal: bool) -> Style {
    if literal {
        return if !key && analysis.block { Style::Literal } else { Style::Double };
    }
    // a text that reads as something else needs quotes
    let reads_as_text = scalar::resolve(text) == Tag::Str;
    if reads_as_text && analysis.plain && !(key && (text.is_empty() || analysis.multiline)) {
        return Style::Plain;
    }
    if analysis.single && !(key && analysis.multiline) { Style::Single } else { Style::Double }
}
