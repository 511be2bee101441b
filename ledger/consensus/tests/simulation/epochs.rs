//! Validators change at a height: one leaves, a follower takes its place.

use crate::{cluster::Cluster, plan::Plan, seeds};

#[test]
fn validators_change_at_their_height() {
    for seed in seeds(900, 8, 50) {
        let plan = Plan { machines: 5, rotate_at: Some(3), further: 5, ..Plan::calm(seed) };
        let mut cluster = Cluster::new(plan);
        cluster.run();
        assert!(cluster.blamed.is_empty(), "{:?}", cluster.blamed);
        // Certificates were checked against their height's epoch; both were in force.
        assert!(cluster.decided.len() >= 5);
        assert_ne!(cluster.epoch_at(2).digest(), cluster.epoch_at(3).digest());
    }
}
