//! A validator that runs twice with one key: it proposes and votes two ways, each to its own half of the others.

use crate::{cluster::Cluster, node::org, plan::Plan, seeds};

#[test]
fn an_equivocating_validator_neither_forks_nor_stops_the_chain_and_is_named() {
    let (runs, mut named) = (seeds(700, 20, 100), 0);
    for seed in runs.clone() {
        let plan = Plan { twin_of: Some(3), further: 4, ..Plan::calm(seed) };
        let mut cluster = Cluster::new(plan);
        cluster.run();
        assert!(cluster.blamed.iter().all(|(by, _)| *by == org(3)), "seed {seed}: {:?}", cluster.blamed);
        named += usize::from(cluster.blamed.iter().any(|(_, what)| what.contains("two different")));
    }
    assert!(named * 3 >= runs.count(), "equivocation was found out in {named} runs");
}

#[test]
fn an_equivocating_validator_on_a_bad_network_does_not_fork_the_chain() {
    for seed in seeds(800, 16, 100) {
        let plan = Plan { twin_of: Some(1), crashes: 3, ..Plan::rough(seed) };
        let mut cluster = Cluster::new(plan);
        cluster.run();
        assert!(cluster.blamed.iter().all(|(by, _)| *by == org(1)), "seed {seed}: {:?}", cluster.blamed);
    }
}
