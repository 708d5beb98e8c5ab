use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidemark_point::Timestamp;
use tidemark_settings::Environment;
use tokio::time::Instant;

use crate::http::{ClientOptions, Http, TIMEOUT};
use crate::{Clock, CollectorError, Metric, Shutdown, Strictness, SystemClock};

/// The most that [`Context::read_host`] reads of one file: 16 MiB.
pub const HOST_FILE_LIMIT: u64 = 16 << 20;
/// The most gaps, and the most notices, that one run keeps; of more, the number is kept.
pub const NOTE_LIMIT: usize = 100;
/// The longest gap or notice in bytes; what is longer is cut.
pub const NOTE_LENGTH_LIMIT: usize = 500;
/// The longest list of a folder's names.
const FOLDER_LIMIT: usize = 1_000_000;

/// What is left of the run, at most, when a request has to end: for the error to be said.
const HTTP_MARGIN: Duration = Duration::from_secs(1);

/// What a run works with: clock, host root, HTTP, deadline; and where it says what was missing.
///
/// A `Context` outlives a run; [`begin_run`](Self::begin_run) starts the deadline and clears gaps and notices.
#[derive(Debug)]
pub struct Context {
    shared: Arc<Shared>,
    target: Option<String>,
    run: Mutex<Run>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    host_name: String,
    host_root: PathBuf,
    http: Http,
    /// Those that were asked for with a trust of their own.
    clients: Mutex<BTreeMap<(Option<PathBuf>, bool), Http>>,
    deadline: Duration,
    interval: Duration,
    shutdown: Shutdown,
    strictness: Strictness,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("host_root", &self.host_root)
            .field("deadline", &self.deadline)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// One run's share of a context.
#[derive(Debug)]
struct Run {
    began: Instant,
    gaps: Notes,
    notices: Notes,
}

impl Context {
    /// Starts with: the system's clock, the root `/`, a client without proxies and with the system's
    /// certificates, no shutdown signal, and the trait's own deadline and interval.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// The time now. One run is best stamped with one time: ask once, or once for each thing that is read.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The clock, for what outlives the run.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// The HTTP client; it costs nothing until the first request. Its requests end a little before the run's deadline, so
    /// that the error names the address that was slow.
    pub fn http(&self) -> Http {
        let remaining = self.remaining();
        let margin = (remaining / 20).min(HTTP_MARGIN);
        let now = tokio::time::Instant::now();
        self.shared
            .http
            .until(now.checked_add(remaining - margin).unwrap_or(now))
    }

    /// A client for servers with certificates of their own: it trusts those of `ca_file` alone, where one is named, or
    /// whoever answers; all else (proxies, the system's certificates, the name that it goes by) is as with
    /// [`http`](Self::http). Nothing is read before its first request, which fails where the file is wrong.
    ///
    /// It is for many servers: of each, one connection is kept while nobody uses it.
    ///
    /// Equal options give the same client, with the same connections, from this context and those that
    /// [`for_target`](Self::for_target) makes of it. It may be kept over runs: its requests end after their own timeout,
    /// and heed no run's deadline unless [`until`](Http::until) gives them one.
    pub fn http_for(&self, ca_file: Option<&Path>, insecure_skip_verify: bool) -> Http {
        let mut clients = self.shared.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let options = (ca_file.map(Path::to_owned), insecure_skip_verify);
        clients
            .entry(options)
            .or_insert_with_key(|(ca_file, insecure_skip_verify)| {
                self.shared
                    .http
                    .with_trust(ca_file.clone(), *insecure_skip_verify)
            })
            .clone()
    }

    /// The host's name, as the settings have it; empty where none was given. Only `host`'s points carry it.
    pub fn host_name(&self) -> &str {
        &self.shared.host_name
    }

    /// The path below the host's root: `/proc/stat` is `ROOT/proc/stat`. A `..` is left out.
    pub fn host_path(&self, path: impl AsRef<Path>) -> PathBuf {
        let mut full = self.shared.host_root.clone();
        full.extend(
            path.as_ref()
                .components()
                .filter(|part| matches!(part, std::path::Component::Normal(_))),
        );
        full
    }

    /// The text of a file of the host, up to [`HOST_FILE_LIMIT`].
    ///
    /// # Errors
    /// Where it cannot be read, is longer, or is not UTF-8; the path in the error is the one below the root.
    pub fn read_host(&self, path: impl AsRef<Path>) -> Result<String, CollectorError> {
        let full = self.host_path(path);
        let bytes = read_bounded(&full)?;
        String::from_utf8(bytes).map_err(|error| CollectorError::NotText {
            path: full,
            at: error.utf8_error().valid_up_to(),
        })
    }

    /// The bytes of a file of the host, up to [`HOST_FILE_LIMIT`].
    ///
    /// # Errors
    /// Where it cannot be read or is longer.
    pub fn read_host_bytes(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, CollectorError> {
        read_bounded(&self.host_path(path))
    }

    /// The names in a folder of the host, sorted; a name that is not UTF-8 is left out.
    ///
    /// # Errors
    /// Where it cannot be read, or has more than a million names.
    pub fn list_host(&self, path: impl AsRef<Path>) -> Result<Vec<String>, CollectorError> {
        let full = self.host_path(path);
        let failed = |source| CollectorError::Read {
            path: full.clone(),
            source,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&full).map_err(failed)? {
            if names.len() == FOLDER_LIMIT {
                return Err(CollectorError::other(format_args!(
                    "{} holds more than {FOLDER_LIMIT} names, the most that are read",
                    full.display()
                )));
            }
            names.extend(entry.map_err(failed)?.file_name().into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Data that should be there is not: the run goes on, and is partial.
    pub fn gap(&self, what: impl Display) {
        self.run().gaps.add(&what);
    }

    /// Something to tell the operator that does not make the run partial.
    pub fn notice(&self, what: impl Display) {
        self.run().notices.add(&what);
    }

    /// Time left until the deadline; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.shared.deadline.saturating_sub(self.run().began.elapsed())
    }

    /// The longest that one request of many may take, so that one that hangs leaves time for the others: a request's own
    /// [`TIMEOUT`], or a quarter of the time left, where that is less.
    pub fn turn(&self) -> Duration {
        TIMEOUT.min(self.remaining() / 4)
    }

    /// The longest that one run may take.
    pub fn deadline(&self) -> Duration {
        self.shared.deadline
    }

    /// The time between two ticks of [`Metric::every`]; never zero.
    pub fn interval(&self) -> Duration {
        self.shared.interval
    }

    /// The signal on which [`Metric::every`] ends.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shared.shutdown
    }

    /// What becomes of points that were not declared.
    pub fn strictness(&self) -> Strictness {
        self.shared.strictness
    }

    /// What this context looks at, where a collector has many targets.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// A context for one of many targets: all the same, with gaps, notices and a deadline of its own.
    pub fn for_target(&self, target: impl Into<String>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            target: Some(target.into()),
            run: Mutex::new(Run::begin()),
        }
    }

    /// Starts a run: the deadline counts from here, and earlier gaps and notices are gone.
    pub fn begin_run(&self) {
        *self.run() = Run::begin();
    }

    /// Takes the gaps of the run so far, oldest first.
    pub fn take_gaps(&self) -> Vec<String> {
        self.run().gaps.take()
    }

    /// Takes the notices of the run so far, oldest first.
    pub fn take_notices(&self) -> Vec<String> {
        self.run().notices.take()
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CollectorError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(HOST_FILE_LIMIT + 1).read_to_end(&mut bytes))
        .map_err(|source| CollectorError::read(path, source))?;
    if bytes.len() as u64 > HOST_FILE_LIMIT {
        return Err(CollectorError::TooLarge {
            path: path.to_owned(),
            limit: HOST_FILE_LIMIT,
        });
    }
    Ok(bytes)
}

impl Run {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            gaps: Notes::default(),
            notices: Notes::default(),
        }
    }
}

/// Lines for people, bounded in number ([`NOTE_LIMIT`]) and length ([`NOTE_LENGTH_LIMIT`]).
#[derive(Debug, Default)]
pub(crate) struct Notes {
    lines: Vec<String>,
    more: usize,
}

impl Notes {
    pub(crate) fn add(&mut self, what: &dyn Display) {
        if self.lines.len() == NOTE_LIMIT {
            self.more += 1;
            return;
        }
        let mut note = Note {
            text: String::new(),
            full: false,
        };
        // A Display that fails leaves what it wrote; so does a full note.
        let _ = write!(note, "{what}");
        if note.full {
            note.text.push('…');
        }
        self.lines.push(note.text);
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.lines);
        let more = std::mem::take(&mut self.more);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }
}

/// Takes text up to the limit and no further, so that a huge one is never built.
struct Note {
    text: String,
    full: bool,
}

impl std::fmt::Write for Note {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            let character = if character.is_control() { ' ' } else { character };
            if self.text.len() + character.len_utf8() > NOTE_LENGTH_LIMIT - '…'.len_utf8() {
                self.full = true;
                return Err(std::fmt::Error);
            }
            self.text.push(character);
        }
        Ok(())
    }
}

/// Makes a [`Context`].
#[derive(Default)]
pub struct ContextBuilder {
    clock: Option<Arc<dyn Clock>>,
    host_name: String,
    host_root: Option<PathBuf>,
    http: Option<Http>,
    environment: Option<ClientOptions>,
    deadline: Option<Duration>,
    interval: Option<Duration>,
    shutdown: Option<Shutdown>,
    strictness: Strictness,
    name: Option<&'static str>,
}

impl std::fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextBuilder").finish_non_exhaustive()
    }
}

impl ContextBuilder {
    /// The deadline, the interval and the name of a collector, where they are not given otherwise.
    #[must_use]
    pub fn metric<M: Metric>(mut self) -> Self {
        self.deadline.get_or_insert(M::DEADLINE.as_duration());
        self.interval.get_or_insert(M::RUN_INTERVAL.as_duration());
        self.name = Some(M::NAME);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The host's name.
    #[must_use]
    pub fn host_name(mut self, name: impl Into<String>) -> Self {
        self.host_name = name.into();
        self
    }

    /// Another root than `/`: a tree that looks like a host.
    #[must_use]
    pub fn host_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.host_root = Some(root.into());
        self
    }

    /// The HTTP client.
    #[must_use]
    pub fn http(mut self, http: Http) -> Self {
        self.http = Some(http);
        self
    }

    /// Where the HTTP client finds proxies and certificates, unless [`http`](Self::http) gives a whole one.
    #[must_use]
    pub fn environment(mut self, environment: &dyn Environment) -> Self {
        self.environment = Some(ClientOptions::new(environment));
        self
    }

    /// The longest that one run may take.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The time between two ticks of [`Metric::every`]; at least a millisecond.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// The signal on which [`Metric::every`] ends.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = Some(shutdown);
        self
    }

    /// What becomes of points that were not declared; [`Strictness::Lenient`] where not said.
    #[must_use]
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness;
        self
    }

    /// The context. The first run begins now.
    pub fn build(self) -> Context {
        let http = self.http.unwrap_or_else(|| {
            let options = self.environment.unwrap_or_else(|| ClientOptions::new(&Nothing));
            Http::new(match self.name {
                Some(name) => options.collector(name),
                None => options,
            })
        });
        let shared = Shared {
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            host_name: self.host_name,
            host_root: self.host_root.unwrap_or_else(|| PathBuf::from("/")),
            http,
            clients: Mutex::default(),
            deadline: self.deadline.unwrap_or(Duration::from_secs(600)),
            interval: self
                .interval
                .unwrap_or(Duration::from_secs(300))
                .max(Duration::from_millis(1)),
            shutdown: self.shutdown.unwrap_or_else(Shutdown::never),
            strictness: self.strictness,
        };
        Context {
            shared: Arc::new(shared),
            target: None,
            run: Mutex::new(Run::begin()),
        }
    }
}

/// An environment without variables.
struct Nothing;

impl Environment for Nothing {
    fn get(&self, _name: &str) -> Option<std::ffi::OsString> {
        None
    }
}
