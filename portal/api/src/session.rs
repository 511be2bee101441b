//! Sessions: one-time login tokens, exchanged for a cookie that names a person for some hours.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base_gm::sm3;
use base_rt::{Clock, Entropy};
use base_secret::Secret;
use base_types::{Digest, PersonId, TimeMs};
use zeroize::Zeroizing;

use crate::Person;

/// How long a login token may be used: 24 hours.
pub const LOGIN_TOKEN_MS: u64 = 24 * 3_600_000;
/// How long a session lasts: 12 hours.
pub const SESSION_MS: u64 = 12 * 3_600_000;
/// Most tokens, and most sessions, that are kept; the one that ends first makes room.
const MOST: usize = 4096;

/// Tells a person of this organisation by name.
pub type People = Box<dyn Fn(&PersonId) -> Option<Person> + Send + Sync>;

/// Who may come in and who is in. Only digests of tokens are kept: whoever reads the memory cannot sign in, and a lookup
/// tells nothing through its time.
pub struct Sessions {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    logins: Shelf,
    sessions: Shelf,
    /// The digest of the command line's token, and whom its holder may act for.
    local: Option<(Digest, People)>,
}

#[derive(Default)]
struct Shelf(HashMap<Digest, (TimeMs, Person)>);

impl Shelf {
    fn put(&mut self, name: Digest, until: TimeMs, person: Person, now: TimeMs) {
        self.0.retain(|_, (end, _)| *end > now);
        if self.0.len() >= MOST
            && let Some(first) = self.0.iter().min_by_key(|(_, (end, _))| *end).map(|(name, _)| *name)
        {
            self.0.remove(&first);
        }
        self.0.insert(name, (until, person));
    }
}

impl Sessions {
    /// No session yet.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, kept: Mutex::default() }
    }

    /// A login token for a person, to be handed over outside the portal: `/login?token=…`.
    pub fn issue(&self, person: Person) -> Secret<String> {
        let (token, now) = (self.token(), self.clock.now_ms());
        self.kept().logins.put(name("login", token.expose()), now.saturating_add(LOGIN_TOKEN_MS), person, now);
        token
    }

    /// Exchanges a login token, once, for a session's token.
    pub(crate) fn redeem(&self, login: &str) -> Option<Secret<String>> {
        let (token, now) = (self.token(), self.clock.now_ms());
        let mut kept = self.kept();
        let (until, person) = kept.logins.0.remove(&name("login", login))?;
        if until <= now {
            return None;
        }
        kept.sessions.put(name("session", token.expose()), now.saturating_add(SESSION_MS), person, now);
        Some(token)
    }

    /// Whose session it is, while it lasts.
    pub(crate) fn person(&self, session: &str) -> Option<Person> {
        let kept = self.kept();
        let (until, person) = kept.sessions.0.get(&name("session", session))?;
        (*until > self.clock.now_ms()).then(|| person.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) {
        self.kept().sessions.0.remove(&name("session", session));
    }

    /// Lets the holder of `token` act for any person that `people` knows: for the command line of whoever runs the node,
    /// who proves it by reading the token's file. What must be signed still needs the person's key.
    pub fn allow_local(&self, token: &str, people: People) {
        self.kept().local = Some((name("local", token), people));
    }

    /// The person that the command line acts for.
    pub(crate) fn local(&self, token: &str, person: &str) -> Option<Person> {
        let kept = self.kept();
        let (known, people) = kept.local.as_ref()?;
        let person = PersonId::new(person).ok()?;
        if name("local", token) == *known { people(&person) } else { None }
    }

    /// A fresh token of 32 random bytes, as [`Sessions::issue`] makes them.
    pub fn token(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.entropy.fill(bytes.as_mut_slice());
        Secret::new(hex::encode(bytes.as_slice()))
    }

    /// A task that ended in the middle leaves the maps whole: every change is one call.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(what: &str, token: &str) -> Digest {
    sm3::tagged("heqi/portal-token/1", &[what.as_bytes(), token.as_bytes()])
}

#[cfg(test)]
mod tests {
    use base_rt::{ManualClock, SeededEntropy};
    use base_types::PersonId;

    use super::*;

    fn person(id: &str) -> Person {
        Person { id: PersonId::new(id).unwrap(), roles: vec!["analyst".into()] }
    }

    fn sessions() -> (Arc<ManualClock>, Sessions) {
        let clock = Arc::new(ManualClock::new(1000));
        (clock.clone(), Sessions::new(clock, Arc::new(SeededEntropy::new(b"sessions"))))
    }

    #[test]
    fn a_login_token_works_once_and_for_a_day() {
        let (clock, sessions) = sessions();
        let token = sessions.issue(person("a/b"));
        assert_eq!(token.expose().len(), 64);
        let session = sessions.redeem(token.expose()).unwrap();
        assert_eq!(sessions.person(session.expose()), Some(person("a/b")));
        assert!(sessions.redeem(token.expose()).is_none(), "used twice");
        assert!(sessions.person(token.expose()).is_none() && sessions.redeem(session.expose()).is_none(), "mixed up");
        let late = sessions.issue(person("a/b"));
        clock.advance(LOGIN_TOKEN_MS);
        assert!(sessions.redeem(late.expose()).is_none(), "too late");
    }

    #[test]
    fn a_session_ends_by_itself_or_when_told() {
        let (clock, sessions) = sessions();
        let first = sessions.redeem(sessions.issue(person("a/b")).expose()).unwrap();
        let second = sessions.redeem(sessions.issue(person("a/c")).expose()).unwrap();
        sessions.end(first.expose());
        assert_eq!(sessions.person(first.expose()), None);
        clock.advance(SESSION_MS - 1);
        assert_eq!(sessions.person(second.expose()), Some(person("a/c")));
        clock.advance(1);
        assert_eq!(sessions.person(second.expose()), None);
    }

    #[test]
    fn no_number_of_tokens_fills_the_memory() {
        let (clock, sessions) = sessions();
        let first = sessions.issue(person("a/first"));
        for _ in 0..MOST {
            clock.advance(1);
            sessions.issue(person("a/b"));
        }
        assert_eq!(sessions.kept().logins.0.len(), MOST);
        assert!(sessions.redeem(first.expose()).is_none(), "the oldest made room");
        clock.advance(LOGIN_TOKEN_MS);
        sessions.issue(person("a/b"));
        assert_eq!(sessions.kept().logins.0.len(), 1, "ended tokens are forgotten");
    }
}
