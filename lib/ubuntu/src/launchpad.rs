//! A client of Launchpad's web service: anonymous, and it only reads.
//!
//! A collection comes in pages, each with a link to the next. Of such a link only the query counts, put to the address
//! that was asked for: a mirror, or a copy in a test, is asked to its end, and no answer leads to another server.
//!
//! Launchpad is asked at most [`LIMIT`] things at a time. An answer of 502 or 503 is usual there for a moment, and where a
//! page takes it too long: it is asked once more, for a smaller page, after a second or two, or when its `Retry-After` says
//! so, where that is soon. Nothing else is asked twice.
//!
//! What a collection holds may change between two pages. With pages by number an entry can then come twice, or not at
//! all: who counts entries counts each `self_link` once.

mod count;
mod page;
mod series;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tidemark_collect::http::{HttpError, Response, Url, redacted};
use tidemark_collect::{CollectorError, Context};
use tokio::sync::Semaphore;

use self::count::Count;
use self::page::Page;
use crate::below;

/// The most requests that are under way at once.
pub const LIMIT: usize = 4;
/// The longest answer that is read, in bytes: ten times what a page of uploads is.
pub const MAX_BYTES: u64 = 8 << 20;
/// The entries of a page; Launchpad gives no more.
pub const PAGE: usize = 300;
/// The entries of a page that is asked for once more.
pub const SMALLER_PAGE: usize = 75;
/// The most pages of a collection.
pub const MAX_PAGES: usize = 100;
/// The most entries of a collection.
pub const MAX_ENTRIES: usize = PAGE * MAX_PAGES;
/// The most bytes of all pages of a collection.
pub const MAX_COLLECTION_BYTES: usize = 64 << 20;

/// The shortest wait before the second try; up to as much again is added, by chance.
const BACKOFF: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A client of Launchpad for one run.
#[derive(Debug)]
pub struct Launchpad<'a> {
    cx: &'a Context,
    root: Url,
    turns: Semaphore,
}

impl<'a> Launchpad<'a> {
    /// A client of the service at `root` (`https://api.launchpad.net/devel/`), with or without its final slash.
    pub fn new(cx: &'a Context, root: &Url) -> Self {
        Self {
            cx,
            root: root.clone(),
            turns: Semaphore::new(LIMIT),
        }
    }

    /// What is at `path`, asked with `query`; where that is an operation, what it answers.
    ///
    /// # Errors
    /// Where no whole answer comes in time, it is longer than [`MAX_BYTES`], or not JSON of this form.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, CollectorError> {
        Ok(self.ask_for(&self.url(path, query)).await?.json()?)
    }

    /// How many entries the collection at `path` has, as a point says it.
    ///
    /// It is asked with `ws.show=total_size`, which operations answer with the number alone; other collections take no
    /// notice of it, and are asked for a page of one entry, which says the number too.
    ///
    /// # Errors
    /// As [`get`](Self::get), and where the answer says no number, or one that is more than a point can say.
    pub async fn count(&self, path: &str, query: &[(&str, &str)]) -> Result<i64, CollectorError> {
        let mut url = self.url(path, query);
        url.query_pairs_mut()
            .append_pair("ws.size", "1")
            .append_pair("ws.show", "total_size");
        let mut count = self.ask_for(&url).await?.json()?;
        if let Count::At(link) = &count {
            url = self.follow(&url, link, "total_size_link")?;
            count = self.ask_for(&url).await?.json()?;
        }
        match count {
            Count::Of(count) => i64::try_from(count).map_err(|_| {
                CollectorError::parse(redacted(&url), format!("{count} are more than a point can say"))
            }),
            Count::At(_) => Err(CollectorError::parse(
                redacted(&url),
                "it does not say its size, but names another address that would",
            )),
        }
    }

    /// The entries of the collection at `path`, of all its pages. Those that an anonymous reader may not see are not
    /// among them.
    ///
    /// # Errors
    /// As [`get`](Self::get), for any page; where the pages lead in a circle, and where they are too long together
    /// ([`MAX_PAGES`], [`MAX_ENTRIES`], [`MAX_COLLECTION_BYTES`]).
    pub async fn entries<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, CollectorError> {
        let mut url = self.url(path, query);
        url.query_pairs_mut().append_pair("ws.size", &PAGE.to_string());
        let mut asked = HashSet::new();
        let mut entries = Vec::new();
        let mut bytes = 0;
        loop {
            let answer = self.ask(&url, &smaller(&url)).await?;
            bytes += answer.body().len();
            let page: Page<T> = answer.json()?;
            entries.extend(page.entries);
            let Some(link) = page.next_collection_link else {
                return Ok(entries);
            };
            let next = self.follow(&url, &link, "next_collection_link")?;
            asked.insert(std::mem::replace(&mut url, next));
            if asked.contains(&url) {
                return Err(CollectorError::parse(
                    redacted(&url),
                    "its pages lead in a circle",
                ));
            }
            if asked.len() == MAX_PAGES || entries.len() >= MAX_ENTRIES || bytes > MAX_COLLECTION_BYTES {
                let (pages, read) = (asked.len(), entries.len());
                return Err(CollectorError::parse(
                    redacted(&url),
                    format!(
                        "it goes on after {pages} pages with {read} entries and {bytes} bytes; at most {MAX_PAGES} pages, \
                         {MAX_ENTRIES} entries and {MAX_COLLECTION_BYTES} bytes are read"
                    ),
                ));
            }
        }
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = below(&self.root, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The address that was asked for, with the query of a link in its answer.
    fn follow(&self, url: &Url, link: &str, name: &str) -> Result<Url, CollectorError> {
        let mut next = url.clone();
        match url.join(link).ok().as_ref().and_then(Url::query) {
            Some(query) => next.set_query(Some(query)),
            None => {
                return Err(CollectorError::parse(
                    redacted(url),
                    format!("its {name} is no address with a query"),
                ));
            }
        }
        Ok(next)
    }

    /// The answer; of a second try, where the first one's says that it may be worth it.
    async fn ask_for(&self, url: &Url) -> Result<Response, HttpError> {
        self.ask(url, url).await
    }

    /// The same, with another address for the second try.
    async fn ask(&self, url: &Url, again: &Url) -> Result<Response, HttpError> {
        let error = match self.ask_once(url).await {
            Err(error) if matches!(error.status(), Some(429 | 502 | 503)) => error,
            outcome => return outcome,
        };
        match self.wait(&error) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                self.ask_once(again).await
            }
            None => Err(error),
        }
    }

    async fn ask_once(&self, url: &Url) -> Result<Response, HttpError> {
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        self.cx
            .http()
            .get(url)
            .header("accept", "application/json")
            .max_bytes(MAX_BYTES)
            .timeout(self.cx.turn())
            .success()
            .await
    }

    /// How long to wait before the second try; `None` where there is none.
    fn wait(&self, error: &HttpError) -> Option<Duration> {
        let wait = match error.retry_after(self.cx.now()) {
            Some(asked) => asked.max(BACKOFF),
            // It asks for less, and does not say when.
            None if error.status() == Some(429) => return None,
            None => BACKOFF,
        };
        let wait = wait.saturating_add(jitter(BACKOFF));
        // Half of what is left is for the answer, and for others.
        (wait <= LONGEST_WAIT.min(self.cx.remaining() / 2)).then_some(wait)
    }
}

/// The same page with fewer entries, to which its next link leads on.
fn smaller(url: &Url) -> Url {
    let others = url.query_pairs().filter(|(name, _)| name != "ws.size");
    let mut smaller = url.clone();
    smaller
        .query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("ws.size", &SMALLER_PAGE.to_string());
    smaller
}

/// A time up to the bound, by chance: those that failed together do not come back together.
fn jitter(bound: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let bound = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(random % bound.saturating_add(1))
}
