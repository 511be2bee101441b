//! A sweep finds what it should: wrong results, panics, parties that blame themselves, runs that are not the same twice.

use super::*;

/// Party 0 says 7 and its complement, party 1 compares and answers 8.
async fn told(me: usize, ctx: &mut Context) -> Result<u64, Abort> {
    if me == 0 {
        ctx.exchange(1, &[7], 1, 0).await?;
        let got = ctx.exchange(1, &[!7], 1, 1).await?;
        return if got == [8] { Ok(8) } else { Err(Abort::peer(1, "another word than 8")) };
    }
    let word = ctx.exchange(0, &[], 0, 1).await?;
    let other = ctx.exchange(0, &[], 0, 1).await?;
    if word[0] != !other[0] {
        return Err(Abort::peer(0, "words that do not fit"));
    }
    ctx.exchange(0, &[word[0] + 1], 0, 0).await?;
    Ok(word[0] + 1)
}

fn careful(me: usize, mut ctx: Context) -> Run<u64> {
    Box::pin(async move { told(me, &mut ctx).await })
}

/// As the careful one, but party 1 believes the first word.
fn credulous(me: usize, mut ctx: Context) -> Run<u64> {
    Box::pin(async move {
        if me == 0 {
            return told(me, &mut ctx).await;
        }
        let word = ctx.exchange(0, &[], 0, 1).await?;
        ctx.exchange(0, &[], 0, 1).await?;
        ctx.exchange(0, &[8], 0, 0).await?;
        Ok(word[0].wrapping_add(1))
    })
}

fn fragile(me: usize, mut ctx: Context) -> Run<u64> {
    Box::pin(async move { Ok(told(me, &mut ctx).await.expect("this party panics")) })
}

fn contrite(me: usize, mut ctx: Context) -> Run<u64> {
    Box::pin(async move { told(me, &mut ctx).await.map_err(|abort| Abort::local(abort.why)) })
}

/// Party 1 says another word in every run and wants it back, so no tape serves it.
fn wayward(me: usize, mut ctx: Context) -> Run<u64> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    Box::pin(async move {
        let answer = if me == 1 { 1 + CALLS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let got = ctx.exchange(1 - me, &[answer], 1 - me, 1).await?;
        let again = ctx.exchange(1 - me, &got, 1 - me, 1).await?;
        if me == 0 || again == [answer] { Ok(8) } else { Err(Abort::peer(0, "another word")) }
    })
}

fn eight(_: Option<&Change>, outputs: &[Option<u64>]) -> Verdict {
    if outputs.iter().flatten().all(|word| *word == 8) { Verdict::Right } else { Verdict::Wrong }
}

fn anything(change: Option<&Change>, outputs: &[Option<u64>]) -> Verdict {
    match (change, eight(change, outputs)) {
        (Some(_), Verdict::Wrong) => Verdict::Other,
        (_, verdict) => verdict,
    }
}

fn protocol(party: fn(usize, Context) -> Run<u64>) -> Protocol<u64> {
    Protocol { parties: 2, party, judge: eight, kinds: Kinds::All, taped: &[], runs: 50 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protocol_that_compares_passes_whoever_is_played() {
    for taped in [&[] as &'static [usize], &[0], &[0, 1]] {
        let tally = sweep(Protocol { taped, ..protocol(careful) }).await.unwrap();
        assert_eq!(tally.runs, 50);
        assert!((1..15).contains(&tally.unnoticed), "{tally:?}");
    }
    // Three frames and eight kinds.
    let tally = sweep(Protocol { kinds: Kinds::Links, ..protocol(careful) }).await.unwrap();
    assert_eq!(tally.runs, 24);
    assert!(tally.unnoticed <= 2, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_happen_is_told() {
    let mine = || protocol(credulous);
    for (protocol, what) in [
        (mine(), "a result is wrong"),
        (protocol(fragile), "ends with"),
        (protocol(contrite), "blames itself"),
        (Protocol { taped: &[0], ..protocol(wayward) }, "with party 0 played"),
    ] {
        let fault = sweep(protocol).await.unwrap_err().to_string();
        assert!(fault.contains(what), "{fault}");
    }
    // What a tier lets a cheat decide is no fault.
    assert!(sweep(Protocol { judge: anything, ..mine() }).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_and_every_kind_comes_in() {
    let (_, tape) = protocol(careful).run(SESSION, None, None).await.unwrap();
    for runs in [0, 1, 30, 54, 1000] {
        let changes = Protocol { runs, ..protocol(careful) }.changes(&tape, &tape);
        assert!(changes.len() >= runs.max(18), "{} changes of {runs}", changes.len());
        for (party, frame) in [(0, 0), (0, 1), (1, 0)] {
            assert!(changes.iter().any(|change| (change.party, change.frame) == (party, frame)));
        }
        for kind in mutations(16, &[], FLIPS, Kinds::All).iter().map(std::mem::discriminant) {
            assert!(changes.iter().any(|change| std::mem::discriminant(&change.mutation) == kind), "{runs}");
        }
        let once = |change: &Change| changes.iter().filter(|other| *other == change).count();
        assert!(runs == 1000 || changes.iter().all(|change| once(change) == 1));
    }
}
