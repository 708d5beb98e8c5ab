use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers made once, for requests that have the same: see [`Request::headers`](super::Request::headers).
#[derive(Clone, Default)]
pub struct Headers {
    pub(super) map: HeaderMap,
    /// Why they cannot be sent.
    pub(super) fault: Option<String>,
}

impl Headers {
    /// Sets one, as [`Request::header`](super::Request::header) does.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            (Ok(name), Ok(mut value)) => {
                // What is set by hand may be a key; it is then not in any debug output.
                value.set_sensitive(true);
                self.map.insert(name, value);
            }
            // The value is not shown: it may be a secret.
            _ => {
                self.fault = Some(format!(
                    "the header {name:?} cannot be sent: a character in it is not allowed"
                ))
            }
        }
        self
    }
}

/// Without the values, which may be secret.
impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.map.keys()).finish()
    }
}
