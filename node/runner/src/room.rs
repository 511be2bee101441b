//! Room for a run at all its nodes before any of them reads: one after the other takes it, in the order of their names.
//!
//! Every run takes its rooms in that one order, so runs never wait for each other in a circle. The nodes tell each other how far they are
//! over links of their own, a byte a word. Who has no room yet says so again and again, so that nobody takes it for silent, and who has
//! waited for as long as any run does says that before it leaves.

use std::{mem::replace, pin::pin, time::Duration};

use base_rt::links::{LinkReceiver, LinkSender};
use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use futures::future::{join_all, try_join_all};
use tokio::time::{sleep, timeout};

use crate::{
    Minutes, Site,
    beats::BEAT,
    budget::{Place, STEP},
    session::{Links, Meeting, link_fault},
};

/// Its turn to take room has not come.
const COMES: u8 = 0;
/// It waits for room.
const WAITS: u8 = 1;
/// It has room, and says nothing more.
const HAS: u8 = 2;
/// It has waited for too long, and leaves.
const BUSY: u8 = 3;
/// It leaves because another is busy.
const LEAVES: u8 = 4;
/// It leaves because another is gone, silent or says what nobody says.
const LOST: u8 = 5;

/// Most words of a party: several times as many as fit into the longest wait.
const MOST_WORDS: usize = 10_000;

/// Takes room for a run at this node, and waits until all others have taken theirs.
///
/// # Errors
/// [`Code::Busy`] with the party that has none, and what is wrong with a link or a party.
pub(crate) async fn taken(
    mut place: Place,
    meeting: &Meeting,
    site: &Site,
    minutes: &dyn Minutes,
) -> Result<Place, Fault> {
    let links = tokio::select! {
        links = meeting.room(site.silence) => links?,
        org = minutes.without_room() => return Err(busy(&org, "it told so on the ledger")),
    };
    let mut peers = Peers::of(links, &site.me);
    let ended = in_turn(&mut place, &mut peers, site, minutes).await;
    if let Err(fault) = &ended {
        let word = match fault.code {
            Code::Busy if fault.party.as_ref() == Some(&site.me) => BUSY,
            Code::Busy => LEAVES,
            _ => LOST,
        };
        // One of them may take nothing any more.
        let _ = timeout(BEAT, say(&mut peers.says, word)).await;
    }
    ended.map(|()| place)
}

/// Takes room once those before have theirs, and waits for those behind.
async fn in_turn(place: &mut Place, peers: &mut Peers, site: &Site, minutes: &dyn Minutes) -> Result<(), Fault> {
    let Peers { says, earlier, later } = peers;
    let (beat, wait) = (BEAT.min(site.silence / 4), site.budget.limits().wait);
    let ear = Ear { silence: site.silence, patience: wait.saturating_add(site.silence), minutes };
    let own = async {
        // It counts from here, so that all nodes of a run give up at about the same time.
        let mut enough = pin!(sleep(wait));
        saying(says, COMES, beat, ear.all_have_room(earlier)).await?;
        place.ask();
        if !place.has_room() {
            minutes.progress(&at(&site.me));
        }
        let room = async {
            tokio::select! {
                biased;
                () = place.room() => true,
                () = &mut enough => false,
            }
        };
        if !saying(says, WAITS, beat, room).await {
            return Err(place.given_up());
        }
        say(says, HAS).await;
        Ok(())
    };
    tokio::try_join!(own, ear.all_have_room(later)).map(|_| ())
}

/// The step as those see it who watch a run that waits for room at one node.
fn at(org: &OrgId) -> String {
    format!("{STEP} at {org}")
}

fn busy(org: &OrgId, why: &str) -> Fault {
    Fault::new(Code::Busy, STEP, why).at(org)
}

/// The other nodes of a run.
struct Peers {
    says: Vec<LinkSender>,
    /// Those that take room before this one.
    earlier: Vec<(OrgId, LinkReceiver)>,
    later: Vec<(OrgId, LinkReceiver)>,
}

impl Peers {
    fn of(links: Links, me: &OrgId) -> Self {
        let mut peers = Self { says: Vec::new(), earlier: Vec::new(), later: Vec::new() };
        for (org, link) in links {
            let Some(link) = link else { continue };
            let (sender, receiver) = link.split();
            peers.says.push(sender);
            let side = if org < *me { &mut peers.earlier } else { &mut peers.later };
            side.push((org, receiver));
        }
        peers
    }
}

/// Says a word to all.
async fn say(says: &mut [LinkSender], word: u8) {
    let word = [word];
    // Of one that is gone its own link tells.
    let _ = join_all(says.iter_mut().map(|link| link.send(&word))).await;
}

/// Says a word again and again until `work` is done.
async fn saying<T>(says: &mut [LinkSender], word: u8, beat: Duration, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = sleep(beat) => say(says, word).await,
        }
    }
}

/// How a node listens to the others.
struct Ear<'a> {
    /// How long a party may be silent, and how long it may take until it has room.
    silence: Duration,
    patience: Duration,
    minutes: &'a dyn Minutes,
}

impl Ear<'_> {
    /// Waits until all of these have room.
    async fn all_have_room(&self, peers: &mut [(OrgId, LinkReceiver)]) -> Result<(), Fault> {
        let each = peers.iter_mut().map(|(org, link)| self.has_room(org, link));
        try_join_all(each).await.map(|_| ())
    }

    async fn has_room(&self, org: &OrgId, link: &mut LinkReceiver) -> Result<(), Fault> {
        let heard = timeout(self.patience, self.listen(org, link)).await;
        heard.unwrap_or_else(|_| Err(busy(org, "it waits for longer than any run does")))
    }

    async fn listen(&self, org: &OrgId, link: &mut LinkReceiver) -> Result<(), Fault> {
        let mut shown = false;
        for _ in 0..MOST_WORDS {
            let word = link.recv(1, self.silence).await.map_err(|fault| link_fault(org, STEP, &fault))?;
            match word.as_slice() {
                [COMES] => {}
                [WAITS] => {
                    if !replace(&mut shown, true) {
                        self.minutes.progress(&at(org));
                    }
                }
                [HAS] => return Ok(()),
                [BUSY] => return Err(busy(org, "it has waited for as long as any run does")),
                [LEAVES] => {
                    return Err(Fault::new(Code::Busy, STEP, format!("{org} leaves because another has no room")));
                }
                [LOST] => {
                    // Whoever it is shows itself here too by then: this one is not blamed for having noticed first.
                    sleep(self.silence).await;
                    return Err(Fault::new(Code::PeerGone, STEP, format!("{org} leaves because it has lost another")));
                }
                _ => break,
            }
        }
        Err(Fault::new(Code::PeerMisbehaved, STEP, "it says what nobody says who waits for room").at(org))
    }
}
