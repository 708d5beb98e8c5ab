use std::collections::HashSet;

use serde::Deserialize;
use tidemark_collect::CollectorError;
use tidemark_collect::http::Url;

use super::Launchpad;
use crate::shown;

/// The distribution.
const UBUNTU: &str = "ubuntu";
/// Its series.
const SERIES: &str = "ubuntu/series";

impl Launchpad<'_> {
    /// The codenames of the active series of Ubuntu, those under extended support included, in Launchpad's order, each
    /// once.
    ///
    /// # Errors
    /// As [`entries`](Self::entries); where a codename could not be one, and where none is active.
    pub async fn active_series(&self) -> Result<Vec<String>, CollectorError> {
        #[derive(Deserialize)]
        struct Series {
            name: String,
            active: bool,
        }
        let all: Vec<Series> = self.entries(SERIES, &[]).await?;
        let active = all.into_iter().filter(|series| series.active);
        self.names(SERIES, active.map(|series| series.name), "active series")
    }

    /// The codename of the development series. Between a release and the beginning of the next series, it is the one that
    /// was just released.
    ///
    /// # Errors
    /// As [`get`](Self::get), and where the answer names none.
    pub async fn development_series(&self) -> Result<String, CollectorError> {
        #[derive(Deserialize)]
        struct Distribution {
            current_series_link: Option<String>,
        }
        let ubuntu: Distribution = self.get(UBUNTU, &[]).await?;
        let Some(link) = ubuntu.current_series_link else {
            return Err(self.wrong(UBUNTU, "it has no current_series_link"));
        };
        match codename(&self.root, &link) {
            Some(name) => Ok(name),
            None => Err(self.wrong(
                UBUNTU,
                format!("its current_series_link, {}, ends in no codename", shown(&link)),
            )),
        }
    }

    /// The architectures of a series, in Launchpad's order, each once.
    ///
    /// # Errors
    /// As [`entries`](Self::entries); where a name could not be one, and where there is none.
    pub async fn architectures(&self, series: &str) -> Result<Vec<String>, CollectorError> {
        #[derive(Deserialize)]
        struct Architecture {
            architecture_tag: String,
        }
        let path = format!("{UBUNTU}/{series}/architectures");
        let all: Vec<Architecture> = self.entries(&path, &[]).await?;
        let names = all.into_iter().map(|architecture| architecture.architecture_tag);
        self.names(&path, names, "architecture")
    }

    /// What the collection at `path` names, each once.
    fn names(
        &self,
        path: &str,
        all: impl Iterator<Item = String>,
        what: &str,
    ) -> Result<Vec<String>, CollectorError> {
        let mut seen = HashSet::new();
        let mut names = Vec::new();
        for name in all {
            if !is_name(&name) {
                return Err(self.wrong(path, format!("{} is no name of an {what}", shown(&name))));
            }
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return Err(self.wrong(path, format!("it names no {what}")));
        }
        Ok(names)
    }

    fn wrong(&self, path: &str, what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CollectorError {
        CollectorError::parse(tidemark_collect::http::redacted(&self.url(path, &[])), what)
    }
}

/// The codename that a link to a series ends in, as a client of this root reads it.
fn codename(root: &Url, link: &str) -> Option<String> {
    let url = root.join(link).ok()?;
    // What leads nowhere leads back to the root, whose name is none.
    let name = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    (url.path() != root.path() && is_name(name)).then(|| name.to_owned())
}

/// Whether it can be a name in Launchpad: a small letter or a digit, then those and `+`, `-`, `.`, `_`; at most 64.
fn is_name(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.as_bytes().first().is_some_and(plain)
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| plain(&byte) || matches!(byte, b'+' | b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(link: &str) -> Option<String> {
        codename(&Url::parse("https://mirror.example/devel/").ok()?, link)
    }

    #[test]
    fn a_link_ends_in_a_codename() {
        for link in [
            "https://api.launchpad.net/devel/ubuntu/noble",
            "https://api.launchpad.net/devel/ubuntu/noble/",
            "http://mirror.example:8080/ubuntu/noble?x=y#z",
            "/devel/ubuntu/noble",
            "noble",
        ] {
            assert_eq!(named(link).as_deref(), Some("noble"), "{link}");
        }
        for link in [
            "",
            "/",
            "?ubuntu/noble",
            "https://api.launchpad.net",
            "mailto:noble",
            "https://[",
            "/ubuntu/Noble%20Numbat",
        ] {
            assert_eq!(named(link), None, "{link}");
        }
    }

    #[test]
    fn names_are_those_that_launchpad_allows() {
        let longest = "n".repeat(64);
        for name in ["noble", "amd64v3", "6.06-x", "a+b_c", longest.as_str()] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "Noble",
            "-x",
            ".x",
            "a b",
            "a/b",
            "a,b",
            "ü",
            "a\n",
            &format!("{longest}n"),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_link_is_read_without_a_panic(link in "\\PC{0,40}|https?://[a-z.]{1,8}/[a-zA-Z0-9%./?#-]{0,20}") {
            if let Some(name) = named(&link) {
                prop_assert!(!name.is_empty() && name.len() <= 64);
                prop_assert!(!name.contains(['/', '%', ' ', '=']));
            }
        }
    }
}
