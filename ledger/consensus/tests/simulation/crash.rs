//! Validators that die between any two outputs and come back with their log.

use crate::{cluster::Cluster, plan::Plan};

#[test]
fn a_validator_that_comes_back_never_contradicts_itself() {
    let mut replayed = 0;
    for seed in 400..412 {
        let mut cluster = Cluster::new(Plan { crashes: 12, ..Plan::rough(seed) });
        cluster.run();
        assert!(cluster.blamed.is_empty(), "seed {seed}: {:?}", cluster.blamed);
        replayed += cluster.replayed;
    }
    assert!(replayed > 100, "the logs were used: {replayed}");
}

#[test]
fn crashes_on_a_good_network_heal() {
    for seed in 500..504 {
        let plan = Plan { crashes: 20, well_at: 4000, ..Plan::calm(seed) };
        Cluster::new(plan).run();
    }
}

#[test]
fn a_crash_while_one_validator_is_silent_heals_once_it_is_back() {
    for seed in 600..603 {
        let plan = Plan { crashes: 8, silent: [2].into(), ..Plan::rough(seed) };
        Cluster::new(plan).run();
    }
}
