//! A client of Launchpad's web service: anonymous, and it only reads.

use serde::de::DeserializeOwned;
use tidemark_collect::http::Url;
use tidemark_collect::{CollectorError, Context};

use crate::below;

/// A client of Launchpad for one run.
#[derive(Debug)]
pub struct Launchpad<'a> {
    cx: &'a Context,
    root: Url,
}

impl<'a> Launchpad<'a> {
    /// A client of the service at `root` (`https://api.launchpad.net/devel/`).
    pub fn new(cx: &'a Context, root: &Url) -> Self {
        Self {
            cx,
            root: root.clone(),
        }
    }

    /// What is at `path`, asked with `query`.
    ///
    /// # Errors
    /// Where it cannot be read, or is not of this form.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, CollectorError> {
        let mut url = below(&self.root, path);
        url.query_pairs_mut().extend_pairs(query);
        Ok(self.cx.http().get(&url).json().await?)
    }

    /// How many entries the collection at `path` has.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn count(&self, path: &str, query: &[(&str, &str)]) -> Result<u64, CollectorError> {
        self.get(path, query).await
    }

    /// The entries of the collection at `path`.
    ///
    /// # Errors
    /// Where a page cannot be read.
    pub async fn entries<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, CollectorError> {
        self.get(path, query).await
    }

    /// The codenames of the active series.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn active_series(&self) -> Result<Vec<String>, CollectorError> {
        self.entries("ubuntu/series", &[]).await
    }

    /// The codename of the development series.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn development_series(&self) -> Result<String, CollectorError> {
        self.get("ubuntu", &[]).await
    }

    /// The architectures of a series.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn architectures(&self, series: &str) -> Result<Vec<String>, CollectorError> {
        self.entries(&format!("ubuntu/{series}/architectures"), &[]).await
    }
}
