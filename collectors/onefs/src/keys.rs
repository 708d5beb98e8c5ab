//! What is known of the keys of one cluster: what each is, which it does not have, and which are to be asked about.
//!
//! Pure: what was learnt and when is handed in. It is kept over runs and reloads.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidemark_papi::decode::KeyInfo;
use tokio::time::Instant;

use crate::bucket::Standing;

/// When a key is asked about again that the cluster could say nothing of; it doubles, up to [`LONGEST_WAIT`].
pub const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest that such a key waits.
pub const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// When a key is asked about and fetched again that the cluster said it does not have.
pub const TRY_AGAIN: Duration = Duration::from_hours(24);

/// Descriptions, each once: hundreds of clusters say the same of a key.
#[derive(Debug, Default)]
pub struct Descriptions(Mutex<HashMap<Arc<str>, Vec<Arc<KeyInfo>>>>);

/// The most keys whose descriptions are shared, and of each the most that differ; what is more is kept beside.
const MOST_KEYS: usize = 10_000;
const MOST_OF_A_KEY: usize = 8;

impl Descriptions {
    fn shared(&self, key: &Arc<str>, info: KeyInfo) -> Arc<KeyInfo> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MOST_KEYS && !all.contains_key(key) {
            return Arc::new(info);
        }
        let known = all.entry(Arc::clone(key)).or_default();
        if let Some(same) = known.iter().find(|known| ***known == info) {
            return Arc::clone(same);
        }
        let info = Arc::new(info);
        if known.len() < MOST_OF_A_KEY {
            known.push(Arc::clone(&info));
        }
        info
    }
}

/// What is known of the keys of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    known: BTreeMap<Arc<str>, Arc<KeyInfo>>,
    /// Of these the cluster could not say what they are.
    failed: BTreeMap<Arc<str>, Failed>,
    /// These the cluster does not have, until then.
    left_out: BTreeMap<Arc<str>, Instant>,
}

/// When a key is asked about again.
#[derive(Clone, Copy, Debug)]
struct Failed {
    at: Instant,
    /// How long it waited for that.
    wait: Duration,
}

impl Keys {
    /// Those of `wanted` that have to be asked about now.
    pub fn unknown<'a>(&self, wanted: impl IntoIterator<Item = &'a Arc<str>>, now: Instant) -> Vec<Arc<str>> {
        let waits = |key: &str| {
            let failed = self.failed.get(key).map(|failed| failed.at);
            let left_out = self.left_out.get(key).copied();
            failed.max(left_out).is_some_and(|until| now < until)
        };
        wanted
            .into_iter()
            .filter(|key| !self.known.contains_key(*key) && !waits(key))
            .cloned()
            .collect()
    }

    /// Takes what the cluster says of a key.
    pub fn learn(&mut self, key: &Arc<str>, info: KeyInfo, descriptions: &Descriptions) {
        self.failed.remove(key);
        self.left_out.remove(key);
        self.known.insert(Arc::clone(key), descriptions.shared(key, info));
    }

    /// The cluster could not say what a key is: it is asked again soon, and fetched meanwhile. True where that is new.
    pub fn fail(&mut self, key: &Arc<str>, now: Instant) -> bool {
        let before = self.failed.get(key);
        let is_new = before.is_none();
        let wait = before.map_or(FIRST_WAIT, |before| (before.wait * 2).min(LONGEST_WAIT));
        let at = now + wait;
        self.failed.insert(Arc::clone(key), Failed { at, wait });
        is_new
    }

    /// The cluster said, asked what a key is, that it does not have it: it is asked again in a day. True where that is new.
    pub fn lack(&mut self, key: &Arc<str>, now: Instant) -> bool {
        self.failed.remove(key);
        self.left_out.insert(Arc::clone(key), now + TRY_AGAIN).is_none()
    }

    /// The cluster has no value of a key: it is fetched again in a day. True where that is new. A key that was never asked
    /// about is passed over.
    pub fn leave_out(&mut self, key: &str, now: Instant) -> bool {
        let known = self.known.get_key_value(key).map(|(key, _)| key);
        let failed = self.failed.get_key_value(key).map(|(key, _)| key);
        let Some(key) = known.or(failed).cloned() else {
            return false;
        };
        self.left_out.insert(key, now + TRY_AGAIN).is_none()
    }

    /// How a key stands now. One of which nothing is known is fetched as one without an interval of its own.
    pub fn standing(&self, key: &str, now: Instant) -> Standing {
        if self.left_out.get(key).is_some_and(|until| now < *until) {
            return Standing::LeftOut;
        }
        Standing::Updated(self.known.get(key).and_then(|info| info.interval))
    }

    /// What a key is.
    pub fn info(&self, key: &str) -> Option<&Arc<KeyInfo>> {
        self.known.get(key)
    }

    /// When something is to be asked or tried again; none where all is known.
    pub fn changes(&self) -> Option<Instant> {
        let failed = self.failed.values().map(|failed| failed.at);
        failed.chain(self.left_out.values().copied()).min()
    }

    /// What failed and what was left out is tried again at once: the settings are new.
    pub fn forgive(&mut self) {
        self.failed.clear();
        self.left_out.clear();
    }

    /// Everything is asked anew: the cluster is not what it was.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(seconds: u64) -> KeyInfo {
        KeyInfo {
            description: "What it is.".to_owned(),
            interval: Some(Duration::from_secs(seconds)),
            ..KeyInfo::default()
        }
    }

    const FETCHED: Standing = Standing::Updated(None);

    #[test]
    fn what_is_known_is_not_asked_and_what_failed_is_fetched_and_asked_again_soon() {
        let now = Instant::now();
        let [a, b, c] = ["a", "b", "c"].map(Arc::<str>::from);
        let wanted = [&a, &b, &c];
        let (mut keys, descriptions) = (Keys::default(), Descriptions::default());
        assert_eq!(keys.unknown(wanted, now), [a.clone(), b.clone(), c.clone()]);
        assert_eq!(keys.standing("a", now), FETCHED);

        keys.learn(&a, info(5), &descriptions);
        assert!(keys.fail(&b, now));
        assert_eq!(keys.unknown(wanted, now), std::slice::from_ref(&c));
        assert_eq!(
            keys.standing("a", now),
            Standing::Updated(Some(Duration::from_secs(5)))
        );
        assert_eq!(keys.standing("b", now), FETCHED);
        assert_eq!(keys.changes(), Some(now + FIRST_WAIT));

        let later = now + FIRST_WAIT;
        assert_eq!(keys.unknown(wanted, later), [b.clone(), c]);
        assert!(!keys.fail(&b, later), "it is no news");
        assert_eq!(keys.changes(), Some(later + 2 * FIRST_WAIT));
        for _ in 0..100 {
            keys.fail(&b, later);
        }
        assert_eq!(keys.changes(), Some(later + LONGEST_WAIT));
        keys.learn(&b, info(30), &descriptions);
        assert_eq!(keys.changes(), None);
    }

    #[test]
    fn what_the_cluster_does_not_have_is_left_out_for_a_day() {
        let now = Instant::now();
        let later = now + TRY_AGAIN;
        let [a, b, c] = ["a", "b", "c"].map(Arc::<str>::from);
        let (mut keys, descriptions) = (Keys::default(), Descriptions::default());
        assert!(!keys.leave_out("a", now), "nobody asked about it");
        keys.learn(&a, info(5), &descriptions);
        keys.fail(&c, now);
        for key in ["a", "c"] {
            assert!(keys.leave_out(key, now));
            assert!(!keys.leave_out(key, now));
            assert_eq!(keys.standing(key, now), Standing::LeftOut);
        }
        assert!(keys.lack(&b, now));
        assert_eq!(keys.standing("b", now), Standing::LeftOut);
        assert_eq!(
            keys.unknown([&a, &b, &c], now + LONGEST_WAIT),
            [""; 0].map(Arc::<str>::from)
        );

        let known = Standing::Updated(Some(Duration::from_secs(5)));
        assert_eq!(keys.standing("a", later), known);
        assert_eq!(keys.unknown([&a, &b, &c], later), [b.clone(), c]);
        assert!(!keys.lack(&b, later), "it is no news");

        keys.leave_out("a", later);
        keys.forgive();
        assert_eq!(keys.standing("a", later), known);
        assert_eq!(keys.unknown([&b], later), [b]);
        keys.forget();
        assert_eq!(keys.unknown([&a], later), std::slice::from_ref(&a));
    }

    #[test]
    fn clusters_share_descriptions() {
        let a: Arc<str> = "a".into();
        let descriptions = Descriptions::default();
        let mut clusters = [Keys::default(), Keys::default(), Keys::default()];
        for (keys, seconds) in clusters.iter_mut().zip([5, 5, 30]) {
            keys.learn(&a, info(seconds), &descriptions);
        }
        let [one, two, three] = clusters.map(|keys| keys.info("a").cloned().expect("learnt"));
        assert!(Arc::ptr_eq(&one, &two));
        assert_ne!(one, three);
    }
}
