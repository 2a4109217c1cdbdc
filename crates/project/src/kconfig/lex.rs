//! Lines of a Kconfig file as words.

use crate::config::Environment;
use std::collections::BTreeMap;

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a symbol or a number.
    Word(String),
    /// In quotes.
    Text(String),
    /// `&&`, `||`, `!`, `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`.
    Op(&'static str),
}

const OPERATORS: [&str; 11] = ["&&", "||", "!=", "<=", ">=", "!", "=", "<", ">", "(", ")"];

/// Splits a line into its words; what is wrong otherwise.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            break;
        }
        if first == '"' || first == '\'' {
            let (text, after) = quoted(rest, first)?;
            out.push(Token::Text(text));
            rest = after;
        } else if let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) {
            out.push(Token::Op(op));
            rest = &rest[op.len()..];
        } else {
            let is_word = |c: char| c.is_alphanumeric() || "_-./$".contains(c);
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("`{first}` is not expected here"));
            }
            out.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            c if c == quote => return Ok((out, &text[at + c.len_utf8()..])),
            c => out.push(c),
        }
    }
    Err(format!("the text {text} has no end"))
}

/// Replaces `$(NAME)` by the variables of the files, else by those of the
/// environment. Functions, which could run commands, are refused.
pub(super) fn expand(
    line: &str,
    variables: &BTreeMap<String, String>,
    env: &Environment,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("$(") {
        let end = rest[at..].find(')').ok_or("`$(` has no `)`")? + at;
        let name = &rest[at + 2..end];
        if !name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) {
            return Err(format!("`$({name})` is a function; functions are not supported"));
        }
        out.push_str(&rest[..at]);
        out.push_str(variables.get(name).or_else(|| env.get(name)).map_or("", String::as_str));
        rest = &rest[end + 1..];
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_words() {
        let words = tokens("depends on A && !(B!=\"x y\") # c").unwrap();
        let shown: Vec<String> = words.iter().map(|t| format!("{t:?}")).collect();
        assert_eq!(shown.len(), 10);
        assert_eq!(words[8], Token::Text("x y".into()));
        assert!(tokens("prompt \"x").is_err() && tokens("a ; b").is_err());
    }

    #[test]
    fn variables_are_replaced_and_commands_are_refused() {
        let env: Environment = [("E".to_owned(), "env".to_owned())].into();
        let variables = [("V".to_owned(), "var".to_owned())].into();
        assert_eq!(expand("a $(V)/$(E)$(NONE)", &variables, &env).unwrap(), "a var/env");
        assert!(expand("$(shell,touch x)", &variables, &env).is_err());
    }
}
