//! Differences of texts: by words within a line, by lines with context.

use super::diff::Color;

/// Positions in two sequences and how many elements are equal from there.
type Block = (usize, usize, usize);

/// Longest common runs first (the earliest of equally long ones), then what is
/// common left and right of each.
fn common_blocks<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = vec![(0, a.len(), 0, b.len())];
    while let Some((a0, a1, b0, b1)) = open.pop() {
        let (at, bt, len) = longest_run(&a[a0..a1], &b[b0..b1]);
        if len > 0 {
            let (at, bt) = (a0 + at, b0 + bt);
            blocks.push((at, bt, len));
            open.push((a0, at, b0, bt));
            open.push((at + len, a1, bt + len, b1));
        }
    }
    blocks.sort_unstable();
    blocks
}

fn longest_run<T: PartialEq>(a: &[T], b: &[T]) -> Block {
    let mut best = (0, 0, 0);
    // Length of the common run that ends just before each position of `b`.
    let mut runs = vec![0usize; b.len() + 1];
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![0usize; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            if x == y {
                let len = runs[j] + 1;
                next[j + 1] = len;
                if len > best.2 {
                    best = (i + 1 - len, j + 1 - len, len);
                }
            }
        }
        runs = next;
    }
    best
}

/// A piece of a comparison: ranges of both sequences, equal or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    equal: bool,
    a: (usize, usize),
    b: (usize, usize),
}

fn pieces<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let (mut at, mut bt) = (0, 0);
    for (i, j, len) in common_blocks(a, b).into_iter().chain([(a.len(), b.len(), 0)]) {
        if at < i || bt < j {
            out.push(Piece { equal: false, a: (at, i), b: (bt, j) });
        }
        match out.last_mut() {
            Some(last) if last.equal && len > 0 => (last.a.1, last.b.1) = (i + len, j + len),
            _ if len > 0 => out.push(Piece { equal: true, a: (i, i + len), b: (j, j + len) }),
            _ => {}
        }
        (at, bt) = (i + len, j + len);
    }
    out
}

/// Words taken away as `[-…-]`, added ones as `{+…+}`.
pub(super) fn word_diff(old: &str, new: &str, color: Color) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), new.split(' ').collect());
    let mut out = Vec::new();
    for piece in pieces(&a, &b) {
        let (was, is) = (a[piece.a.0..piece.a.1].join(" "), b[piece.b.0..piece.b.1].join(" "));
        if piece.equal {
            out.push(is);
            continue;
        }
        if piece.a.0 < piece.a.1 {
            out.push(color.removed(&format!("[-{was}-]")));
        }
        if piece.b.0 < piece.b.1 {
            out.push(color.added(&format!("{{+{is}+}}")));
        }
    }
    format!("\"{}\"", out.join(" "))
}

/// Both lists merged: runs of common items in quotes, others with `-` and `+`.
pub(super) fn list_diff(old: &[String], new: &[String], color: Color) -> String {
    let mut out = Vec::new();
    for piece in pieces(old, new) {
        let (was, is) = (old[piece.a.0..piece.a.1].join(" "), new[piece.b.0..piece.b.1].join(" "));
        if piece.equal {
            out.push(format!("'{is}'"));
            continue;
        }
        if piece.a.0 < piece.a.1 {
            out.push(color.removed(&format!("-{was}")));
        }
        if piece.b.0 < piece.b.1 {
            out.push(color.added(&format!("+{is}")));
        }
    }
    format!("[{}]", out.join(", "))
}

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A unified diff without the two lines that name the files.
pub(super) fn line_diff(old: &str, new: &str, color: Color) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut out = Vec::new();
    for hunk in hunks(&pieces(&a, &b)) {
        let (first, last) = (hunk[0], hunk[hunk.len() - 1]);
        out.push(format!("@@ -{} +{} @@", range(first.a.0, last.a.1), range(first.b.0, last.b.1)));
        for piece in hunk {
            if piece.equal {
                out.extend(a[piece.a.0..piece.a.1].iter().map(|line| format!(" {line}")));
            } else {
                out.extend(a[piece.a.0..piece.a.1].iter().map(|line| color.removed(&format!("-{line}"))));
                out.extend(b[piece.b.0..piece.b.1].iter().map(|line| color.added(&format!("+{line}"))));
            }
        }
    }
    out.join("\n")
}

/// Changes with their context; long equal stretches part them.
fn hunks(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut hunks: Vec<Vec<Piece>> = Vec::new();
    let mut current: Vec<Piece> = Vec::new();
    let changes = pieces.iter().filter(|p| !p.equal).count();
    let mut seen = 0;
    for piece in pieces {
        if !piece.equal {
            current.push(*piece);
            seen += 1;
            continue;
        }
        let len = piece.a.1 - piece.a.0;
        let head = Piece {
            equal: true,
            a: (piece.a.0, piece.a.0 + CONTEXT.min(len)),
            b: (piece.b.0, piece.b.0 + CONTEXT.min(len)),
        };
        let tail = Piece {
            equal: true,
            a: (piece.a.1 - CONTEXT.min(len), piece.a.1),
            b: (piece.b.1 - CONTEXT.min(len), piece.b.1),
        };
        match (seen == 0, seen == changes) {
            (true, _) => current.push(tail),
            (_, true) => current.push(head),
            _ if len <= 2 * CONTEXT => current.push(*piece),
            _ => {
                current.push(head);
                hunks.push(std::mem::take(&mut current));
                current.push(tail);
            }
        }
    }
    if changes > 0 {
        hunks.push(current);
    }
    hunks
}

/// A range of lines as unified diffs write it.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        len => format!("{},{len}", start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked() {
        let diff = |a, b| word_diff(a, b, Color::Never);
        assert_eq!(diff("bar ${BAZ}", "bar ${BAZ} ${NEW}"), r#""bar ${BAZ} {+${NEW}+}""#);
        assert_eq!(diff("one two three four", "one two THREE four"), r#""one two [-three-] {+THREE+} four""#);
        assert_eq!(diff("1", "1 2  3 "), r#""1 {+2  3 +}""#);
        assert_eq!(diff("hm", "bar x"), r#""[-hm-] {+bar x+}""#);
    }

    #[test]
    fn lists_are_merged_run_by_run() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let diff = |old, new| list_diff(&list(old), &list(new), Color::Never);
        // Recorded answers of BitBake 2.18.
        assert_eq!(diff("a b c", "a b d e"), "['a b', -c, +d e]");
        assert_eq!(diff("a b c d", "x c d y z"), "[-a b, +x, 'c d', +y z]");
        assert_eq!(diff("", "a b"), "[+a b]");
        assert_eq!(diff("a a b", "a b b"), "[-a, 'a b', +b]");
        assert_eq!(diff("it's q", "it's"), "['it's', -q]");
    }

    #[test]
    fn lines_have_three_lines_of_context() {
        let diff = |a, b| line_diff(a, b, Color::Never);
        assert_eq!(
            diff("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk\n"),
            "@@ -2,9 +2,10 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n i\n j\n+k"
        );
        assert_eq!(diff("    :\n", "  new text\n"), "@@ -1 +1 @@\n-    :\n+  new text");
        assert_eq!(diff("a\nb\nc\n", "a\nb"), "@@ -1,3 +1,2 @@\n a\n b\n-c");
    }

    #[test]
    fn distant_changes_are_in_hunks_of_their_own() {
        let old: String = (0..20).map(|n| format!("{n}\n")).collect();
        let new = old.replace("2\n3\n", "2\nX\n").replace("17\n", "Y\n");
        let diff = line_diff(&old, &new, Color::Never);
        assert_eq!(diff.matches("@@ -").count(), 2, "{diff}");
        assert!(diff.contains("@@ -1,7 +1,7 @@") && diff.contains("@@ -15,6 +15,6 @@"), "{diff}");
    }
}
