//! Recipe versions: Debian-like order and the patterns of PREFERRED_VERSION.

use std::cmp::Ordering;

/// Epoch, version and revision of a recipe: PE, PV, PR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<'a> {
    /// PE; empty counts as 0.
    pub epoch: &'a str,
    /// PV.
    pub version: &'a str,
    /// PR.
    pub revision: &'a str,
}

impl<'a> Version<'a> {
    /// Splits `[EPOCH:]VERSION[-REVISION]`, at the first colon and the last dash.
    pub fn parse(text: &'a str) -> Version<'a> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("", text));
        let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Version { epoch, version, revision }
    }

    /// Epochs as numbers first, then versions, then revisions.
    pub fn compare(self, other: Version<'_>) -> Ordering {
        epoch_number(self.epoch)
            .cmp(&epoch_number(other.epoch))
            .then_with(|| compare_part(self.version, other.version))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

fn epoch_number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

/// One step of a version part. The order of the variants is the order of
/// versions: `~` sorts before the end, the end before a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Tilde,
    End,
    Number(usize, &'a str),
    Letters(&'a str),
    Other(char),
}

fn next_step<'a>(text: &mut &'a str) -> Step<'a> {
    let whole = *text;
    let Some(first) = whole.chars().next() else { return Step::End };
    let mut cut = |len: usize| {
        let (head, tail) = whole.split_at(len);
        *text = tail;
        head
    };
    let run = |belongs: fn(char) -> bool| whole.find(|c| !belongs(c)).unwrap_or(whole.len());
    if first.is_ascii_digit() {
        let digits = cut(run(|c| c.is_ascii_digit())).trim_start_matches('0');
        Step::Number(digits.len(), digits)
    } else if first.is_ascii_alphabetic() {
        Step::Letters(cut(run(|c| c.is_ascii_alphabetic())))
    } else {
        cut(first.len_utf8());
        if first == '~' { Step::Tilde } else { Step::Other(first) }
    }
}

/// Compares two version texts without epoch and revision: runs of digits as
/// numbers, runs of letters and single other characters as text; numbers
/// before letters before the rest; `~` before everything, the end included.
pub fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (x, y) = (next_step(&mut a), next_step(&mut b));
        match x.cmp(&y) {
            Ordering::Equal if x == Step::End => return Ordering::Equal,
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
}

/// Whether a recipe's version is what `wanted` (the value of PREFERRED_VERSION
/// or REQUIRED_VERSION) asks for: `[EPOCH:]VERSION`, a trailing `%` of the
/// version stands for anything. An epoch that is not named is free.
// BitBake: `_rN` is documented nowhere and matches no PR; it counts as part of the version.
pub fn matches_wanted(wanted: &str, version: Version<'_>) -> bool {
    let (epoch, rest) = match wanted.split_once(':') {
        Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()) => {
            (Some(epoch), rest)
        }
        _ => (None, wanted),
    };
    let version_fits = match rest.strip_suffix('%') {
        Some(prefix) => version.version.starts_with(prefix),
        None => version.version == rest,
    };
    version_fits && epoch.is_none_or(|e| e == version.epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        Version::parse(a).compare(Version::parse(b))
    }

    #[test]
    fn versions_sort_as_debian_sorts_them() {
        let ascending = [
            ["1", "2"],
            ["1", "1.0"],
            ["1.1", "1_p2"],
            ["1.0", "1.0+1.1-beta1"],
            ["1a", "1a1"],
            ["1.", "1.1"],
            ["1.9", "1.10"],
            ["1~rc1", "1"],
            ["1.0~", "1.0"],
            ["2", "1:1"],
            ["1-r1", "1-r10"],
            ["0999", "1000"],
        ];
        for [a, b] in ascending {
            assert_eq!(order(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(order(b, a), Ordering::Greater, "{b} {a}");
        }
        assert_eq!(order("1.01", "1.1"), Ordering::Equal);
    }

    #[test]
    fn wanted_versions_may_leave_parts_open() {
        let v = Version { epoch: "1", version: "5.15.3", revision: "r2" };
        for yes in ["5.15.3", "5.15%", "%", "1:5.15.3", "1:5.%"] {
            assert!(matches_wanted(yes, v), "{yes}");
        }
        for no in ["5.15", "2:5.15.3", "0:5.15.3", "5.15.3_r2", "6%", ""] {
            assert!(!matches_wanted(no, v), "{no}");
        }
    }
}
