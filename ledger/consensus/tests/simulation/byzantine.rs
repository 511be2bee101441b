//! A validator that runs twice with one key: it proposes and votes two ways, each to its own half of the others.

use crate::{cluster::Cluster, node::org, plan::Plan};

#[test]
fn an_equivocating_validator_neither_forks_nor_stops_the_chain_and_is_named() {
    let mut named = 0;
    for seed in 700..712 {
        let plan = Plan { twin_of: Some(3), further: 4, ..Plan::calm(seed) };
        let mut cluster = Cluster::new(plan);
        cluster.run();
        assert!(cluster.blamed.iter().all(|(by, _)| *by == org(3)), "seed {seed}: {:?}", cluster.blamed);
        named += usize::from(cluster.blamed.iter().any(|(_, what)| what.contains("two different")));
    }
    assert!(named >= 6, "equivocation was found out in {named} of 12 runs");
}

#[test]
fn an_equivocating_validator_on_a_bad_network_does_not_fork_the_chain() {
    for seed in 800..806 {
        let plan = Plan { twin_of: Some(1), crashes: 3, ..Plan::rough(seed) };
        let mut cluster = Cluster::new(plan);
        cluster.run();
        assert!(cluster.blamed.iter().all(|(by, _)| *by == org(1)), "seed {seed}: {:?}", cluster.blamed);
    }
}
