//! Laws that hold on any graph.

mod common;

use bitzel_query::{Node, NodeSet, Output, QueryEnv, print, query};
use bitzel_taskgraph::EdgeKinds;
use common::Drawn;
use proptest::prelude::*;

/// A graph of up to 12 nodes `n0`, `n1`, …, cycles included.
fn graphs() -> impl Strategy<Value = Drawn> {
    (2usize..12).prop_flat_map(|count| {
        let edge = (0..count as u32, 0..count as u32, prop::bool::ANY);
        prop::collection::vec(edge, 0..30).prop_map(move |edges| {
            let names: String = (0..count).map(|n| format!("n{n} ")).collect();
            let mut drawn = Drawn::new(&names);
            let kinds = |runtime| if runtime { EdgeKinds::RUNTIME } else { EdgeKinds::BUILD };
            drawn.edges = edges.into_iter().map(|(a, b, runtime)| (a, b, kinds(runtime))).collect();
            drawn
        })
    })
}

fn nodes(env: &Drawn, text: &str) -> NodeSet {
    let found = query(env, text).unwrap_or_else(|error| panic!("{error}")).nodes;
    found.iter().collect()
}

proptest! {
    #[test]
    fn deps_and_rdeps_are_dual(env in graphs()) {
        for (x, y) in (0..env.node_count()).flat_map(|x| (0..env.node_count()).map(move |y| (x, y))) {
            let down = nodes(&env, &format!("deps(n{x})")).contains(Node(y as u32));
            let up = nodes(&env, &format!("allrdeps(n{y})")).contains(Node(x as u32));
            let within = nodes(&env, &format!("rdeps(n{x}, n{y})")).contains(Node(x as u32));
            prop_assert!(down == up && down == within);
        }
    }

    #[test]
    fn sets_obey_their_laws(env in graphs()) {
        let same = |x: &str, y: &str| {
            let full = |text: &str| text.replace('A', "deps(n0)").replace('B', "allrdeps(n1)").replace('C', "deps(n1, 1)");
            nodes(&env, &full(x)).iter().eq(nodes(&env, &full(y)).iter())
        };
        let laws = [
            ("A + B", "B + A"),
            ("(A + B) + C", "A + (B + C)"),
            ("A ^ (B + C)", "(A ^ B) + (A ^ C)"),
            ("A - (B + C)", "(A - B) ^ (A - C)"),
            ("(A - B) + (A ^ B)", "A"),
            ("deps(A)", "A"),
        ];
        for (x, y) in laws {
            prop_assert!(same(x, y), "{} is not {}", x, y);
        }
    }

    #[test]
    fn a_path_is_a_path_and_lies_on_all_paths(env in graphs()) {
        let path = query(&env, "somepath(n0, n1)").unwrap().path;
        let all = nodes(&env, "allpaths(n0, n1)");
        prop_assert_eq!(path.is_empty(), all.is_empty());
        prop_assert!(path.iter().all(|&node| all.contains(node)));
        for pair in path.windows(2) {
            prop_assert!(env.edges.iter().any(|&(from, to, _)| (from, to) == (pair[0].0, pair[1].0)));
        }
    }

    #[test]
    fn maxrank_is_a_topological_order_outside_cycles(env in graphs()) {
        let result = query(&env, "n*").unwrap();
        let mut text = String::new();
        print(&env, &result, Output::MaxRank, &mut text).unwrap();
        let rank = |node: u32| {
            let line = text.lines().find(|line| line.split(' ').nth(1) == Some(&format!("n{node}"))).unwrap();
            line.split(' ').next().unwrap().parse::<usize>().unwrap()
        };
        for &(from, to, _) in &env.edges {
            let cycle = nodes(&env, &format!("deps(n{to})")).contains(Node(from));
            let in_order = if cycle { rank(from) == rank(to) } else { rank(from) < rank(to) };
            prop_assert!(in_order, "{} before {}", from, to);
        }
    }

    #[test]
    fn the_parser_never_panics(text in "[a-c()+^, $'=-]{0,40}|(let|in|set|deps|union|\\(|\\)|a| ){0,30}") {
        if let Err(error) = bitzel_query::parse(&text) {
            prop_assert!(error.to_string().contains('^'));
        }
    }
}
