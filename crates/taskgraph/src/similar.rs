//! Names that look like a given one, for messages about unknown names.

/// The (at most three) names of `known` that resemble `name` most: the ratio of
/// characters in common, 0 to 1, has to reach 0.6.
pub fn close_matches<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = known
        .filter_map(|k| {
            let longer = name.chars().count().max(k.chars().count());
            let distance = edit_distance(name, k, longer);
            // 1000 stands for equality.
            (distance * 10 <= longer * 4).then(|| (1000 - distance * 1000 / longer.max(1), k))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, k)| k.to_owned()).collect()
}

/// Edit distance with swaps of neighbours, given up (as `longer`) where lengths
/// differ too much.
fn edit_distance(a: &str, b: &str, longer: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) * 10 > longer * 4 {
        return longer;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = changed.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_best_first() {
        let known = ["xylophone", "telephone", "busybox", "xylofon"];
        assert_eq!(close_matches("xylofone", known.into_iter()), ["xylofon", "xylophone"]);
        assert!(close_matches("zzz", known.into_iter()).is_empty());
        assert_eq!(close_matches("dpes", ["rdeps", "deps", "some"].into_iter()), ["deps", "rdeps"]);
    }
}
