//! The words of the flags that name tasks of other recipes.

/// A word that has not the form it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadWord<'a>(pub(crate) &'a str);

/// The `NAME:TASK` words of `[depends]` and `[rdepends]`.
pub(crate) fn depends_words(text: &str) -> impl Iterator<Item = Result<(&str, &str), BadWord<'_>>> {
    text.split_whitespace().map(|word| match word.split_once(':') {
        Some((name, task)) if !name.is_empty() && !task.is_empty() && !task.contains(':') => Ok((name, task)),
        _ => Err(BadWord(word)),
    })
}

/// One word of `[mcdepends]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct McDependency<'a> {
    /// The multiconfig the word applies to.
    pub(crate) from: &'a str,
    /// The multiconfig of the task depended on.
    pub(crate) to: &'a str,
    pub(crate) name: &'a str,
    pub(crate) task: &'a str,
}

/// The `mc:FROM:TO:NAME:TASK` words of `[mcdepends]`.
pub(crate) fn mcdepends_words(text: &str) -> impl Iterator<Item = Result<McDependency<'_>, BadWord<'_>>> {
    text.split_whitespace().map(|word| {
        let fields: Vec<&str> = word.split(':').collect();
        match fields[..] {
            ["mc" | "multiconfig", from, to, name, task] if !name.is_empty() && !task.is_empty() => {
                Ok(McDependency { from, to, name, task })
            }
            _ => Err(BadWord(word)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_or_refused() {
        let ok: Vec<_> = depends_words(" a:do_b\tvirtual/c:do_d ").collect();
        assert_eq!(ok, [Ok(("a", "do_b")), Ok(("virtual/c", "do_d"))]);
        assert_eq!(depends_words("a").next(), Some(Err(BadWord("a"))));
        let mc = McDependency { from: "", to: "x", name: "p", task: "do_t" };
        assert_eq!(mcdepends_words("mc::x:p:do_t").next(), Some(Ok(mc)));
        assert!(mcdepends_words("mc:x:p:do_t").next().is_some_and(|w| w.is_err()));
    }
}
