//! Clusters under Raft: the same networks and crashes, and a validator that lies, who may halt the chain but not fork
//! it.

use crate::{cluster::Cluster, node::org, plan::Plan, seeds};

/// Runs a plan to its end under Raft.
fn run(plan: Plan) -> Cluster {
    let mut cluster = Cluster::new(plan.raft());
    cluster.run();
    cluster
}

/// As [`run`], with nobody who could be blamed for anything.
fn run_honest(plan: Plan) -> Cluster {
    let seed = plan.seed;
    let cluster = run(plan);
    assert!(cluster.blamed.is_empty(), "seed {seed}: {:?}", cluster.blamed);
    cluster
}

#[test]
fn a_calm_raft_cluster_decides_and_blames_nobody() {
    for seed in seeds(1000, 10, 50) {
        let cluster = run_honest(Plan { further: 5, ..Plan::calm(seed) });
        assert!(cluster.now < 8000, "seed {seed}: a height takes far less than a second: {} ms", cluster.now);
    }
}

#[test]
fn the_same_seed_gives_the_same_raft_run() {
    let once = || {
        let cluster = run(Plan { crashes: 3, ..Plan::rough(1077) });
        (cluster.now, cluster.decided)
    };
    assert_eq!(once(), once());
}

#[test]
fn loss_delay_repetition_and_splits_cost_a_raft_cluster_time_but_neither_agreement_nor_progress() {
    for seed in seeds(1100, 80, 100) {
        run_honest(Plan::rough(seed));
    }
}

#[test]
fn one_silent_member_of_four_does_not_stop_the_others() {
    for seed in seeds(1200, 8, 50) {
        let silent = [seed as usize % 4];
        run_honest(Plan { silent: silent.into(), ..Plan::calm(seed) });
        run_honest(Plan { silent: silent.into(), ..Plan::rough(seed) });
    }
}

#[test]
fn groups_of_every_size_decide() {
    for validators in [1, 2, 3, 5, 7] {
        let seed = 1300 + validators as u64;
        run_honest(Plan { validators, machines: validators, ..Plan::calm(seed) });
    }
}

#[test]
fn a_member_that_comes_back_never_votes_or_seals_otherwise() {
    let mut replayed = 0;
    for seed in seeds(1400, 60, 100) {
        replayed += run_honest(Plan { crashes: 12, ..Plan::rough(seed) }).replayed;
    }
    assert!(replayed > 150, "the logs were used: {replayed}");
}

#[test]
fn crashes_of_raft_members_on_a_good_network_heal() {
    for seed in seeds(1500, 12, 50) {
        run_honest(Plan { crashes: 20, well_at: 4000, ..Plan::calm(seed) });
    }
}

#[test]
fn a_member_that_was_away_for_long_catches_up_past_what_the_log_still_holds() {
    for seed in seeds(1600, 4, 20) {
        let (leaves, late) = (Some(seed as usize % 4), Some((seed as usize + 1) % 4));
        let cluster = run_honest(Plan { leaves, late, well_at: 8000, further: 5, ..Plan::calm(seed) });
        // The log is cut every 32 entries, and without the seal of the one that came late there is no quorum.
        assert!(cluster.decided.len() > 40, "seed {seed}: {}", cluster.decided.len());
    }
}

#[test]
fn a_raft_group_ends_with_its_epoch_and_the_next_begins_anew() {
    for seed in seeds(1700, 5, 50) {
        let plan = Plan { machines: 5, rotate_at: Some(3), further: 5, ..Plan::calm(seed) };
        let cluster = run_honest(plan);
        assert!(cluster.decided.len() >= 5);
        let rough = Plan { machines: 5, rotate_at: Some(3), crashes: 8, ..Plan::rough(seed) };
        run_honest(rough);
    }
}

#[test]
fn a_lying_member_may_halt_the_chain_but_forks_it_never() {
    let mut decided = 0;
    for seed in seeds(1800, 20, 100) {
        let twin_of = Some(seed as usize % 4);
        let calm = run(Plan { twin_of, further: 4, may_halt: Some(8000), ..Plan::calm(seed) });
        let rough = run(Plan { twin_of, crashes: 3, may_halt: Some(4000), ..Plan::rough(seed) });
        for cluster in [calm, rough] {
            // Two blocks at a height, or two seals of an honest member, would have ended the run already.
            let liar = org(seed as usize % 4);
            assert!(cluster.blamed.iter().all(|(by, _)| *by == liar), "seed {seed}: {:?}", cluster.blamed);
            decided += cluster.decided.len();
        }
    }
    assert!(decided > 0, "some of these runs got somewhere");
}
