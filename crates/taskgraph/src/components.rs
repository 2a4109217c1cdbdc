//! Strongly connected components, without recursion: task chains are longer
//! than a stack is deep.

/// The component of each node, numbered so that a component's successors have
/// smaller numbers, and how many there are.
pub fn components<'a>(nodes: usize, successors: impl Fn(u32) -> &'a [u32]) -> (Vec<u32>, u32) {
    const NONE: u32 = u32::MAX;
    let mut component = vec![NONE; nodes];
    let mut count = 0;
    let mut index = vec![NONE; nodes];
    let mut low = vec![0u32; nodes];
    let mut next_index = 0;
    let mut open: Vec<u32> = Vec::new();
    // Node and how many of its successors have been looked at.
    let mut path: Vec<(u32, usize)> = Vec::new();
    for root in 0..nodes as u32 {
        if index[root as usize] != NONE {
            continue;
        }
        path.push((root, 0));
        while let Some(&mut (node, ref mut at)) = path.last_mut() {
            let n = node as usize;
            if *at == 0 {
                index[n] = next_index;
                low[n] = next_index;
                next_index += 1;
                open.push(node);
            }
            let all = successors(node);
            if let Some(&next) = all.get(*at) {
                *at += 1;
                if index[next as usize] == NONE {
                    path.push((next, 0));
                } else if component[next as usize] == NONE {
                    low[n] = low[n].min(index[next as usize]);
                }
                // A node without further successors is closed on the next turn;
                // `at` is never 0 again.
                continue;
            }
            *at = at.saturating_add(1);
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent as usize] = low[parent as usize].min(low[n]);
            }
            if low[n] == index[n] {
                while let Some(member) = open.pop() {
                    component[member as usize] = count;
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
        }
    }
    (component, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_share_a_component_and_successors_come_first() {
        let edges: [&[u32]; 5] = [&[1], &[2, 4], &[0, 3], &[], &[]];
        let (c, count) = components(5, |n| edges[n as usize]);
        assert_eq!(count, 3);
        assert!(c[0] == c[1] && c[1] == c[2] && c[3] < c[0] && c[4] < c[0]);
    }
}
