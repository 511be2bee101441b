//! A small query against a large cached set: members and labels, epochs and additions, and peers that lie.

mod links;

use std::sync::Arc;

use links::{Frames, Lie, blames, counts, elements, session, why};
use mpc_block::Block;
use mpc_core::{Abort, Blame, Context, Prg};
use mpc_psi::unbalanced::{
    BadRelease, Cache, Level, MAX_LABEL_BYTES, MAX_QUERIES, MAX_RELEASES, Owner, Published, Refused, Release, Set,
    most_bytes, query, receive, send, serve,
};

const SEED: [u8; 32] = [5; 32];
const OWNER: usize = 0;

fn random(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut prg = Prg::new(&[seed; 32]);
    move |out| prg.fill(out)
}

/// Labels that tell the element and a number.
fn labels(elements: &[Block], bytes: usize, number: u8) -> Vec<u8> {
    elements.iter().flat_map(|element| (0..bytes).map(move |at| element.to_bytes()[at % 16] ^ number)).collect()
}

fn publish(owner: &mut Owner, elements: &[Block], labels: &[u8], bound: usize) -> Published {
    owner.publish(Set { elements, labels, bound }, 2, &mut random(1)).unwrap()
}

fn level(published: &Published) -> Level {
    let mut level = Level::new(Release::parse(&published.release).unwrap(), &published.digest).unwrap();
    published.tables.iter().for_each(|table| level.add(table.clone()).unwrap());
    level
}

/// An owner of a set without labels, and a cache of it.
fn world(set: &[Block], queries: usize) -> (Owner, Cache) {
    let mut owner = Owner::new(&SEED, 1, queries, 0).unwrap();
    let published = publish(&mut owner, set, &[], set.len());
    let cache = Cache::new(level(&published)).unwrap();
    (owner, cache)
}

type Found = Vec<(usize, Vec<u8>)>;

/// One session; what the owner and the client ended with, and the frames.
async fn ask(
    (owner, cache): (&Arc<Owner>, &Arc<Cache>),
    (seed, queries): (u8, usize),
    elements: &[Block],
    lie: Option<Lie>,
) -> (Result<Found, Abort>, Result<Found, Abort>, Frames) {
    let (owner, cache, elements) = (owner.clone(), cache.clone(), elements.to_vec());
    let (mut outcomes, frames) = session(2, seed, lie, move |mut ctx: Context| {
        let (owner, cache, elements) = (owner.clone(), cache.clone(), elements.clone());
        async move {
            if ctx.me() == OWNER {
                serve(&mut ctx, 1, &owner, queries).await.map(|()| Vec::new())
            } else {
                let found = query(&mut ctx, OWNER, &cache, queries, &elements).await?;
                Ok(found.into_iter().map(|one| (one.element, one.label)).collect())
            }
        }
    })
    .await;
    let (client, server) = (outcomes.pop().unwrap(), outcomes.pop().unwrap());
    (server, client, frames)
}

async fn found(owner: Owner, cache: Cache, queries: usize, elements: &[Block]) -> Found {
    let (server, client, _) = ask((&Arc::new(owner), &Arc::new(cache)), (7, queries), elements, None).await;
    assert!(server.is_ok());
    client.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_finds_exactly_the_members() {
    for (size, asked, queries) in [(0, 3, 3), (1, 1, 1), (2, 0, 0), (2, 0, 5), (1000, 10, 10), (3000, 40, 64)] {
        let set = elements(1, 0, size);
        let members = asked.min(size).div_ceil(2);
        let mut wanted = elements(2, 0, asked - members);
        wanted.extend_from_slice(&set[size - members..]);
        wanted.rotate_left(asked / 3);
        let (owner, cache) = world(&set, queries.max(1));
        let got: Vec<usize> =
            found(owner, cache, queries, &wanted).await.into_iter().map(|(element, _)| element).collect();
        let due: Vec<usize> = (0..asked).filter(|at| set.contains(&wanted[*at])).collect();
        assert_eq!((got.len(), &got), (members, &due), "{size} {asked} {queries}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_queries_than_a_batch_come_back_in_order() {
    let set = elements(1, 0, 600);
    let wanted = [&elements(2, 0, 1000)[..], &set[..500], &elements(3, 0, 900)[..]].concat();
    let (owner, cache) = world(&set, 4000);
    let got = found(owner, cache, 2500, &wanted).await;
    assert!(got.iter().map(|(element, _)| *element).eq(1000..1500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_open_for_members_and_the_newest_one_counts() {
    for bytes in [1, 20, 100] {
        let (set, added) = (elements(1, 0, 300), elements(2, 0, 40));
        let mut owner = Owner::new(&SEED, 1, 100, bytes).unwrap();
        let first = publish(&mut owner, &set, &labels(&set, bytes, 1), 400);
        // The addition brings new elements and another label for ten old ones.
        let addition = [&added[..], &set[..10]].concat();
        let second = publish(&mut owner, &addition, &labels(&addition, bytes, 2), 50);
        let mut cache = Cache::new(level(&first)).unwrap();
        cache.append(level(&second)).unwrap();
        let wanted = [&set[5..15], &elements(3, 0, 7)[..], &added[38..]].concat();
        let due: Found = (0..wanted.len())
            .filter(|at| !(10..17).contains(at))
            .map(|at| (at, labels(&wanted[at..=at], bytes, if (5..10).contains(&at) { 1 } else { 2 })))
            .collect();
        assert_eq!(found(owner, cache, 30, &wanted).await, due);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_bound_to_the_newest_release() {
    let set = elements(1, 0, 50);
    let (mut owner, cache) = world(&set, 10);
    publish(&mut owner, &elements(2, 0, 5), &[], 5);
    // The client has not taken the addition yet.
    let (server, client, _) = ask((&Arc::new(owner), &Arc::new(cache)), (7, 10), &set[..3], None).await;
    assert!(blames(&server) && blames(&client));
}

#[test]
fn what_clients_get_is_the_same_whatever_the_size_below_the_bound() {
    let lengths = |size: usize| {
        let mut owner = Owner::new(&SEED, 1, 10, 8).unwrap();
        let set = elements(1, 0, size);
        let published = publish(&mut owner, &set, &labels(&set, 8, 1), 500);
        let tables: Vec<usize> = published.tables.iter().map(Vec::len).collect();
        (published.release.len(), tables)
    };
    assert_eq!(lengths(0), lengths(500));
}

#[test]
fn an_epoch_has_its_own_key_and_rows_become_its_own_elements() {
    let owner = |epoch| Owner::new(&SEED, epoch, 10, 0).unwrap();
    let (one, two) = (owner(1), owner(2));
    assert_ne!(one.key().public().to_bytes(), two.key().public().to_bytes());
    assert_ne!(one.element_id(), two.element_id());
    assert_eq!(one.key().public().to_bytes(), owner(1).key().public().to_bytes());
    let (owner, cache) = world(&elements(1, 0, 3), 1);
    assert_eq!(owner.element_id(), cache.element_id());
    assert_eq!((owner.tip(), one.tip()), (Some(cache.tip()), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_owner_goes_on_where_it_was() {
    let (set, added) = (elements(1, 0, 30), elements(2, 0, 4));
    let mut owner = Owner::new(&SEED, 3, 10, 0).unwrap();
    let first = publish(&mut owner, &set, &[], 30);
    let second = publish(&mut owner, &added, &[], 4);
    let mut again = Owner::new(&SEED, 3, 10, 0).unwrap();
    assert_eq!(again.resume(&second.release).err(), Some(Refused::Order));
    again.resume(&first.release).unwrap();
    again.resume(&second.release).unwrap();
    assert_eq!(again.tip(), owner.tip());
    for mut other in [Owner::new(&SEED, 4, 10, 0).unwrap(), Owner::new(&[6; 32], 3, 10, 0).unwrap()] {
        assert_eq!(other.resume(&first.release).err(), Some(Refused::Order));
    }
    let mut cache = Cache::new(level(&first)).unwrap();
    cache.append(level(&second)).unwrap();
    assert_eq!(found(again, cache, 4, &added).await.len(), 4);
}

#[test]
fn sizes_that_do_not_fit_doubled_elements_and_full_epochs_are_refused() {
    for (queries, label) in [(0, 0), (MAX_QUERIES + 1, 0), (1, MAX_LABEL_BYTES + 1)] {
        assert_eq!(Owner::new(&SEED, 1, queries, label).err(), Some(Refused::Sizes));
    }
    let mut owner = Owner::new(&SEED, 1, 10, 4).unwrap();
    let mut set = elements(1, 0, 10);
    let mut refused = |elements: &[Block], labels: &[u8], bound: usize| {
        owner.publish(Set { elements, labels, bound }, 1, &mut random(1)).err()
    };
    assert_eq!(refused(&set, &[0; 40], 9), Some(Refused::Sizes));
    assert_eq!(refused(&set, &[0; 39], 10), Some(Refused::Sizes));
    assert_eq!(refused(&set, &[0; 40], usize::MAX), Some(Refused::Sizes));
    set[3] = set[8];
    assert_eq!(refused(&set, &[0; 40], 10), Some(Refused::Doubled));
    for _ in 0..MAX_RELEASES {
        assert_eq!(refused(&[], &[], 1), None);
    }
    assert_eq!(refused(&[], &[], 1), Some(Refused::Full));
}

#[test]
fn a_cache_takes_only_pinned_releases_in_order_with_all_their_tables() {
    let mut owner = Owner::new(&SEED, 1, 10, 0).unwrap();
    let [first, second, third] = [1, 2, 3].map(|stream| publish(&mut owner, &elements(stream, 0, 20), &[], 20));
    let parse = |published: &Published| Release::parse(&published.release).unwrap();
    assert_eq!(Level::new(parse(&first), &second.digest).err(), Some(BadRelease::Digest));
    // Every byte of a table, and its length.
    let mut incomplete = Level::new(parse(&first), &first.digest).unwrap();
    for at in 0..first.tables[0].len() {
        let mut table = first.tables[0].clone();
        table[at] ^= 4;
        assert_eq!(incomplete.add(table).err(), Some(BadRelease::Digest), "byte {at}");
    }
    assert_eq!(incomplete.add(first.tables[0][1..].to_vec()).err(), Some(BadRelease::Digest));
    assert_eq!(Cache::new(incomplete).err(), Some(BadRelease::Tables));
    let mut complete = level(&first);
    assert_eq!(complete.add(first.tables[0].clone()).err(), Some(BadRelease::Tables));
    assert_eq!(Cache::new(level(&second)).err(), Some(BadRelease::Order));
    let mut cache = Cache::new(complete).unwrap();
    assert_eq!(cache.append(level(&third)).err(), Some(BadRelease::Order));
    assert_eq!(cache.append(level(&first)).err(), Some(BadRelease::Order));
    cache.append(level(&second)).unwrap();
    assert_eq!(cache.append(level(&second)).err(), Some(BadRelease::Order));
    // An addition of another owner with the same epoch and number.
    let mut other = Owner::new(&[9; 32], 1, 10, 0).unwrap();
    let [_, _, foreign] = [1, 2, 3].map(|stream| publish(&mut other, &elements(stream, 0, 20), &[], 20));
    assert_eq!(cache.append(level(&foreign)).err(), Some(BadRelease::Order));
    cache.append(level(&third)).unwrap();
    assert_eq!(Some(cache.tip()), owner.tip());
}

#[test]
fn a_release_has_one_encoding_and_every_changed_byte_changes_the_digest() {
    let mut owner = Owner::new(&SEED, 1, 10, 0).unwrap();
    let published = publish(&mut owner, &elements(1, 0, 5), &[], 5);
    let bytes = &published.release;
    assert_eq!(&Release::parse(bytes).unwrap().to_bytes(), bytes);
    for cut in 0..bytes.len() {
        assert!(Release::parse(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(Release::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let digest = Release::parse(&changed).map(|release| release.digest());
        assert!(digest != Ok(published.digest), "byte {at}");
    }
}

#[test]
fn a_kept_release_comes_back_whole_or_not_at_all() {
    let mut owner = Owner::new(&SEED, 1, 10, 3).unwrap();
    let set = elements(1, 0, 20);
    let published = publish(&mut owner, &set, &labels(&set, 3, 1), 20);
    let bytes = level(&published).to_bytes();
    assert_eq!(bytes, published.to_bytes());
    let read = |bytes: &[u8]| Level::from_bytes(bytes, &published.digest);
    let back = read(&bytes).unwrap();
    assert!(back.release().bytes() == most_bytes(20, 10, 3) && back.due().is_none());
    assert_eq!(back.into_published().to_bytes(), bytes);
    assert_eq!(Level::from_bytes(&bytes, &[1; 32]).err(), Some(BadRelease::Digest));
    assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(read(&changed).is_err() && read(&bytes[..at]).is_err(), "byte {at}");
    }
}

/// The owner sends a release, the client takes it.
async fn transfer(
    published: &Arc<Published>,
    pinned: [u8; 32],
    most: usize,
    lie: Option<Lie>,
) -> Vec<Result<(), Abort>> {
    let published = published.clone();
    let party = move |mut ctx: Context| {
        let published = published.clone();
        async move {
            if ctx.me() == OWNER {
                return send(&mut ctx, 1, &published).await;
            }
            let level = receive(&mut ctx, OWNER, &pinned, most).await?;
            assert_eq!(level.release().digest(), pinned);
            Cache::new(level).map(|_| ()).map_err(|why| Abort::local(why.to_string()))
        }
    };
    session(2, 7, lie, party).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_pinned_release_arrives_whatever_the_owner_sends() {
    let mut owner = Owner::new(&SEED, 1, 10, 3).unwrap();
    let set = elements(1, 0, 40);
    let published = Arc::new(publish(&mut owner, &set, &labels(&set, 3, 1), 40));
    let most = published.tables[0].len();
    assert!(transfer(&published, published.digest, most, None).await.iter().all(|outcome| outcome.is_ok()));
    assert!(blames(&transfer(&published, published.digest, most - 1, None).await[1]));
    assert!(blames(&transfer(&published, [1; 32], most, None).await[1]));
    for frame in 0..3 {
        for which in 0..4 {
            let change = move |bytes: &mut Vec<u8>| match which {
                0 => *bytes.last_mut().unwrap() ^= 1,
                1 => bytes.truncate(bytes.len() - 1),
                2 => bytes.push(0),
                _ => bytes[8..].fill(0xff),
            };
            let outcomes = transfer(&published, published.digest, most, Lie::new((OWNER, 1, frame), change)).await;
            assert_eq!(outcomes[1].as_ref().unwrap_err().blame, Blame::Peer(OWNER), "frame {frame}, change {which}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_frame_never_gives_a_wrong_result() {
    let set = elements(1, 0, 100);
    let (owner, cache) = world(&set, 2000);
    let (owner, cache) = (Arc::new(owner), Arc::new(cache));
    let wanted = [&set[..4], &elements(2, 0, 4)[..]].concat();
    let (_, honest, frames) = ask((&owner, &cache), (7, 20), &wanted, None).await;
    let honest = honest.unwrap();
    assert_eq!(honest.len(), 4);
    for (from, to, count) in counts(&frames, 2) {
        for (frame, which) in (0..count).flat_map(|frame| (0..6).map(move |which| (frame, which))) {
            let change = move |bytes: &mut Vec<u8>| match which {
                0 => *bytes.last_mut().unwrap() ^= 1,
                1 => bytes.truncate(bytes.len() - 1),
                2 => bytes.push(0),
                // The identity, what is no point, a point instead of another.
                3 => bytes[8..40].fill(0),
                4 => bytes[40..72].fill(0xff),
                _ => bytes.copy_within(8..40, 40),
            };
            let (server, client, _) =
                ask((&owner, &cache), (7, 20), &wanted, Lie::new((from, to, frame), change)).await;
            let right = to == OWNER && client.as_ref().is_ok_and(|found| *found == honest);
            assert!(right || blames(&client), "party {from}, frame {frame}, change {which}");
            if to == OWNER && (1..5).contains(&which) {
                assert_eq!(why(server).blame, Blame::Peer(1), "frame {frame}, change {which}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_another_session_end_the_session() {
    let set = elements(1, 0, 20);
    let (owner, cache) = world(&set, 10);
    let (owner, cache) = (Arc::new(owner), Arc::new(cache));
    let (_, _, before) = ask((&owner, &cache), (8, 10), &set[..5], None).await;
    for (from, to, old) in before {
        let lie = Lie::new((from, to, 0), move |bytes| bytes.clone_from(&old));
        let (server, client, _) = ask((&owner, &cache), (7, 10), &set[..5], lie).await;
        let victim = if to == OWNER { server } else { client };
        assert_eq!(why(victim).blame, Blame::Peer(from));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_asks_for_more_than_was_agreed() {
    let set = elements(1, 0, 20);
    let (owner, cache) = world(&set, 10);
    let (owner, cache) = (Arc::new(owner), Arc::new(cache));
    // More elements than queries at the client; more queries than the epoch's tables are made for at the owner.
    let (_, client, _) = ask((&owner, &cache), (7, 4), &set[..5], None).await;
    assert_eq!(why(client).blame, Blame::Local);
    let (server, _, _) = ask((&owner, &cache), (7, 11), &set[..5], None).await;
    assert_eq!(why(server).blame, Blame::Local);
    // The two sides disagree about the number.
    let party = move |mut ctx: Context| {
        let (owner, cache, set) = (owner.clone(), cache.clone(), set.clone());
        async move {
            if ctx.me() == OWNER {
                serve(&mut ctx, 1, &owner, 9).await.map(|()| Vec::new())
            } else {
                query(&mut ctx, OWNER, &cache, 10, &set[..5]).await
            }
        }
    };
    let (outcomes, _) = session(2, 7, None, party).await;
    assert!(outcomes.iter().all(blames));
    // An owner that has published nothing.
    let empty = Owner::new(&SEED, 9, 10, 0).unwrap();
    let (_, cache) = world(&[], 1);
    let (server, _, _) = ask((&Arc::new(empty), &Arc::new(cache)), (7, 1), &[], None).await;
    assert_eq!(why(server).blame, Blame::Local);
}
