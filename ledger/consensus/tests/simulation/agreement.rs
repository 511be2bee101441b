//! Honest validators on good and bad networks.

use crate::{cluster::Cluster, plan::Plan, seeds};

#[test]
fn a_calm_cluster_decides_and_blames_nobody() {
    for seed in seeds(0, 10, 50) {
        let mut cluster = Cluster::new(Plan { further: 5, ..Plan::calm(seed) });
        cluster.run();
        assert!(cluster.blamed.is_empty(), "{:?}", cluster.blamed);
        assert!(cluster.now < 5000, "a height takes far less than a second: {} ms", cluster.now);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut cluster = Cluster::new(Plan { crashes: 3, ..Plan::rough(77) });
        cluster.run();
        (cluster.now, cluster.decided)
    };
    assert_eq!(run(), run());
}

#[test]
fn loss_delay_repetition_and_splits_cost_time_but_neither_agreement_nor_progress() {
    for seed in seeds(100, 60, 100) {
        let mut cluster = Cluster::new(Plan::rough(seed));
        cluster.run();
        assert!(cluster.blamed.is_empty(), "seed {seed}: {:?}", cluster.blamed);
    }
}

#[test]
fn one_silent_validator_of_four_does_not_stop_the_others() {
    for seed in seeds(200, 8, 50) {
        Cluster::new(Plan { silent: [seed as usize % 4].into(), ..Plan::calm(seed) }).run();
        Cluster::new(Plan { silent: [seed as usize % 4].into(), ..Plan::rough(seed) }).run();
    }
}

#[test]
fn a_validator_alone_decides_alone() {
    Cluster::new(Plan { validators: 1, machines: 1, ..Plan::calm(300) }).run();
}
