//! Many clusters of one size, cheap enough to put a load on what asks them.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::OneFs;
use super::behaviour::Behaviour;
use super::pages;
use crate::certificates::Identity;
use crate::request::{Request, parameters};
use crate::serve::lock;

/// The time that values are those of. It has ten digits, as any time until 2286, and no value is like it.
const MADE_AT: i64 = 9_999_999_999;
/// What stands before a time.
const BEFORE: &str = "\"time\":";
/// How many digits a time has.
const DIGITS: usize = 10;
/// The kernel counts a process's time in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Clusters `cl0001`, `cl0002`, … with the real time.
///
/// Their values are those of one moment; only the times are new: the last multiple of a key's interval, as anywhere. What
/// [`Behaviour`] says of single keys and nodes is looked at once, when a URL is first asked for; the rest as ever.
pub struct Fleet {
    /// The clusters.
    pub clusters: Vec<OneFs>,
}

impl Fleet {
    /// Starts so many, of so many nodes each; over HTTPS where there is a certificate.
    pub fn start(tls: Option<&Identity>, clusters: usize, nodes: usize) -> Self {
        let bodies = Arc::new(Bodies::default());
        let start = |number| OneFs::start(tls, &format!("cl{number:04}"), nodes, Some(Arc::clone(&bodies)));
        Self {
            clusters: (1..=clusters).map(start).collect(),
        }
    }
}

/// The CPU time of this process so far, all threads, user and system, in steps of 10 ms.
pub fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc is mounted");
    // The program's name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(") ").expect("a name in parentheses");
    let ticks: u32 = rest
        .split(' ')
        .skip(11)
        .take(2)
        .map(|number| number.parse::<u32>().expect("a number of ticks"))
        .sum();
    TICK * ticks
}

/// Bodies that were made, by their target.
#[derive(Default)]
pub(super) struct Bodies {
    made: Mutex<HashMap<String, Arc<Body>>>,
}

/// A body, and where its times are.
struct Body {
    bytes: Vec<u8>,
    /// Offset, and the interval of the key.
    times: Vec<(usize, Option<i64>)>,
}

impl Bodies {
    /// The body for a request now; `None` where there is no such page.
    pub(super) fn body(&self, request: &Request, behaviour: &Behaviour, now: i64) -> Option<Vec<u8>> {
        let target = format!("{}?{}", request.path, request.query);
        let found = lock(&self.made).get(&target).map(Arc::clone);
        let body = match found {
            Some(body) => body,
            None => {
                let body = Arc::new(Body::make(request, behaviour)?);
                lock(&self.made).insert(target, Arc::clone(&body));
                body
            }
        };
        Some(body.at(now))
    }
}

impl Body {
    fn make(request: &Request, behaviour: &Behaviour) -> Option<Self> {
        // On demand, all of them: their times are this one.
        let mut still = behaviour.clone();
        let asked = parameters(&request.query);
        let keys: Vec<&String> = asked
            .iter()
            .filter_map(|(name, key)| (name == "key").then_some(key))
            .collect();
        for key in &keys {
            still.intervals.insert((*key).clone(), None);
        }
        let page = pages::page(request, &still, MADE_AT)?.ok()?;
        // In the order of `stats`.
        let mut intervals = Vec::new();
        for key in keys {
            let interval = behaviour.key(key).interval;
            let interval = interval.and_then(|seconds| i64::try_from(seconds).ok());
            intervals.extend(pages::items(key, &still, MADE_AT).iter().map(|_| interval));
        }
        let text = page.to_string();
        let time = format!("{BEFORE}{MADE_AT}");
        let times = text.match_indices(&time).enumerate();
        let times = times.map(|(place, (at, _))| {
            let interval = intervals.get(place).copied().flatten();
            (at + BEFORE.len(), interval.filter(|interval| *interval > 0))
        });
        Some(Self {
            times: times.collect(),
            bytes: text.into_bytes(),
        })
    }

    fn at(&self, now: i64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (at, interval) in &self.times {
            let time = interval.map_or(now, |interval| now - now.rem_euclid(interval));
            let mut left = time.unsigned_abs();
            for digit in bytes[*at..*at + DIGITS].iter_mut().rev() {
                *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
                left /= 10;
            }
        }
        bytes
    }
}
