//! A sink of a program: its name, what it takes, and what is needed to reach it.

use std::path::Path;
use std::sync::Arc;

use tidemark_collect::Clock;
use tidemark_collect::http::redacted;
use tidemark_point::line::Dialect;
use tidemark_settings::{SecretSource, SinkKind, SinkSettings, StoreSettings};

use super::http::HttpEndpoint;
use super::profile::{Profile, Wire};
use super::textfile::Folder;
use super::{AnySink, discard, store};
use crate::body::{dialect, minds_order};

/// One sink: its name, what it takes, and what is needed to reach it.
#[derive(Clone, Debug)]
pub struct SinkSpec {
    pub(super) settings: SinkSettings,
    pub(crate) reach: Reach,
}

/// What is needed to reach a sink.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// The sink is known by name alone.
    Unresolved,
    /// A server; [`Profile`] says which.
    Server(Arc<HttpEndpoint>),
    Store(StoreSettings),
    Textfile(Folder),
    Discard,
}

impl SinkSpec {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What all is said within of a delivery to it: the log names the sink.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::info_span!("delivery", sink = self.name())
    }

    /// Its type, as the settings name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.settings.kind.name()
    }

    /// Whether it gets the batches of this collector.
    #[must_use]
    pub fn takes(&self, collector: &str) -> bool {
        self.settings.takes(collector)
    }

    /// Where it is, for a message: a server's address without what its query may hold, a folder. None of a sink that is
    /// in the state folder, or nowhere.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        match &self.settings.kind {
            SinkKind::Textfile(of) => Some(of.directory.display().to_string()),
            kind => Profile::of(kind).map(|profile| redacted(profile.url)),
        }
    }

    /// The key in the settings that names its secret, and where that secret is.
    #[must_use]
    pub fn secret(&self) -> Option<(&'static str, &SecretSource)> {
        Profile::of(&self.settings.kind)?.secret
    }

    pub(crate) fn sink_kind(&self) -> &SinkKind {
        &self.settings.kind
    }

    pub(crate) fn dialect(&self) -> Dialect {
        dialect(&self.settings.kind)
    }

    /// A number that changes when the settings do, so that a backoff ends when they are mended.
    pub(crate) fn fingerprint(&self) -> u32 {
        match &self.reach {
            Reach::Server(endpoint) => endpoint.fingerprint(),
            Reach::Textfile(folder) => folder.fingerprint(),
            Reach::Unresolved | Reach::Store(_) | Reach::Discard => 0,
        }
    }

    /// Whether it says more of points than they hold themselves: the kinds, units and helps of their fields.
    pub(crate) fn needs_declarations(&self) -> bool {
        let kind = &self.settings.kind;
        matches!(kind, SinkKind::Textfile(_)) || Wire::of(kind) == Some(Wire::RemoteWrite)
    }

    /// Whether it takes no older point of a series after a newer one.
    pub(crate) fn minds_order(&self) -> bool {
        minds_order(&self.settings.kind)
    }

    /// Whether it holds the newest run of each collector and target alone.
    pub(crate) fn holds_newest(&self) -> bool {
        matches!(self.settings.kind, SinkKind::Textfile(_))
    }

    /// The folder, where the sink is one: it gets no batches but the newest ones, as files.
    pub(crate) fn folder(&self) -> Option<&Folder> {
        match &self.reach {
            Reach::Textfile(folder) => Some(folder),
            _ => None,
        }
    }

    /// The sink itself, for delivering batch by batch; none where it is a folder, or known by name alone. `plain` says
    /// that it refused gzip.
    pub(crate) fn connect(&self, dir: &Path, clock: &Arc<dyn Clock>, plain: bool) -> Option<AnySink> {
        match &self.reach {
            Reach::Unresolved | Reach::Textfile(_) => None,
            Reach::Server(endpoint) => {
                Profile::of(&self.settings.kind).map(|profile| profile.connect(endpoint, clock, plain))
            }
            Reach::Store(settings) => Some(AnySink::Store(Box::new(store::StoreSink::new(
                dir,
                settings,
                clock.clone(),
            )))),
            Reach::Discard => Some(AnySink::Discard(discard::Discard)),
        }
    }
}
