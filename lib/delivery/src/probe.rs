//! A look at the sinks and at the outbox that stores nothing and changes nothing: what `tidemark check` is made of.
//!
//! A sink is climbed like a ladder: its name resolves, the connection stands, TLS is trusted, what answers is a server
//! of its kind, it takes an empty write of this user, its clock is ours. The first step that fails ends the climb, and
//! the steps above are [`Verdict::NotTried`]. An empty write is what the sink would send, without points: the server
//! checks database, user and rights as ever, and stores nothing.

mod answer;
mod folder;
mod http;
mod reach;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidemark_collect::Clock;
use tidemark_settings::SinkKind;

use crate::sink::profile::Profile;
use crate::sink::{Reach, SinkSpec};

/// The longest that all steps of one sink take together.
pub const PROBE_TIME: Duration = Duration::from_secs(5);

/// How far a server's clock may be from ours before it is worth a warning. `Date` headers have whole seconds alone.
pub const CLOCK_BOUND: Duration = Duration::from_secs(5);

/// What came of a step.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It was not tried, because of another step, or because there is nothing to try.
    NotTried,
    /// It works, and somebody should know something about it.
    Warning,
    /// It does not work.
    Failed,
}

/// A step, and what was found: without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step in a word or two: `connection`, `TLS`, `write`.
    pub check: Cow<'static, str>,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, where, and why.
    pub found: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            verdict: Verdict::Ok,
            found: found.into(),
            advice: None,
        }
    }

    /// It works, and somebody should know this.
    pub fn warning(
        check: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warning,
            advice: Some(advice.into()),
            ..Self::ok(check, found)
        }
    }

    /// It does not work.
    pub fn failed(
        check: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Failed,
            advice: Some(advice.into()),
            ..Self::ok(check, found)
        }
    }

    /// It was not tried.
    pub fn not_tried(check: impl Into<Cow<'static, str>>, why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NotTried,
            ..Self::ok(check, why)
        }
    }

    /// The same, from a text that says what is wrong, and after the last semicolon what to do.
    pub(crate) fn failed_as_said(check: &'static str, said: &str) -> Self {
        match said.rsplit_once("; ") {
            Some((found, advice)) => Self::failed(check, found, advice),
            None => Self {
                advice: None,
                ..Self::failed(check, said, "")
            },
        }
    }
}

impl SinkSpec {
    /// Climbs the sink's ladder, within [`PROBE_TIME`]. `dir` is the state folder. Nothing is stored or changed; of one
    /// whose secret was not resolved, no more than the name and the connection are tried.
    pub async fn probe(&self, dir: &Path, clock: &Arc<dyn Clock>) -> Vec<Finding> {
        let kind = self.sink_kind();
        match (&self.reach, kind, Profile::of(kind)) {
            (Reach::Server(endpoint), _, Some(profile)) => http::probe(endpoint, &profile, clock).await,
            (_, _, Some(profile)) => http::probe_without(&profile).await,
            (Reach::Store(settings), ..) => folder::store(dir, settings).await,
            (Reach::Discard, ..) => vec![Finding::ok("sink", "takes every batch and forgets it")],
            (_, SinkKind::Textfile(of), _) => folder::textfile(&of.directory),
            _ => Vec::new(),
        }
    }
}
