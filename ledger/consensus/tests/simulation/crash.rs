//! Validators that die between any two outputs and come back with their log.

use crate::{cluster::Cluster, plan::Plan, seeds};

#[test]
fn a_validator_that_comes_back_never_contradicts_itself() {
    let mut replayed = 0;
    for seed in seeds(400, 60, 100) {
        let mut cluster = Cluster::new(Plan { crashes: 12, ..Plan::rough(seed) });
        cluster.run();
        assert!(cluster.blamed.is_empty(), "seed {seed}: {:?}", cluster.blamed);
        replayed += cluster.replayed;
    }
    assert!(replayed > 100, "the logs were used: {replayed}");
}

#[test]
fn crashes_on_a_good_network_heal() {
    for seed in seeds(500, 12, 50) {
        let plan = Plan { crashes: 20, well_at: 4000, ..Plan::calm(seed) };
        Cluster::new(plan).run();
    }
}

#[test]
fn a_crash_while_one_validator_is_silent_heals_once_it_is_back() {
    for seed in seeds(600, 6, 50) {
        let plan = Plan { crashes: 8, silent: [2].into(), ..Plan::rough(seed) };
        Cluster::new(plan).run();
    }
}
