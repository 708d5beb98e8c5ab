//! What an asker takes (RFC 9110, section 12.5).

use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName};
use tidemark_point::exposition::Format;

/// The most items of a list that are looked at.
const MAX_ITEMS: usize = 32;

/// The format that is liked best; text 0.0.4 where nothing is said, and where both are liked alike without naming one.
pub(crate) fn format(headers: &HeaderMap) -> Format {
    let mut best = (0, 0, Format::Prometheus);
    for item in items(headers, &ACCEPT) {
        let found = match item.name {
            "application/openmetrics-text" => {
                let ours = item.parameter("version").is_none_or(|version| version == "1.0.0");
                ours.then_some((2, Format::OpenMetrics))
            }
            "text/plain" => {
                let ours = item.parameter("version").is_none_or(|version| version == "0.0.4");
                ours.then_some((1, Format::Prometheus))
            }
            "text/*" | "*/*" => Some((0, Format::Prometheus)),
            _ => None,
        };
        let quality = item.quality();
        if let Some((named, format)) = found
            && quality > 0
            && (quality, named) > (best.0, best.1)
        {
            best = (quality, named, format);
        }
    }
    best.2
}

/// Whether the answer may be gzip.
pub(crate) fn gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for item in items(headers, &ACCEPT_ENCODING) {
        match item.name {
            "gzip" | "x-gzip" => return item.quality() > 0,
            "*" => any = item.quality() > 0,
            _ => {}
        }
    }
    any
}

/// An item of a list, with its parameters.
struct Item<'a> {
    name: &'a str,
    parameters: &'a str,
}

fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Item<'a>> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .take(MAX_ITEMS)
        .map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            Item {
                name: name.trim(),
                parameters,
            }
        })
}

impl<'a> Item<'a> {
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.split(';').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            (key.trim().eq_ignore_ascii_case(name)).then(|| value.trim().trim_matches('"'))
        })
    }

    /// In thousandths; 0 is what is not wanted, and what is no number.
    fn quality(&self) -> u16 {
        let Some(text) = self.parameter("q") else {
            return 1000;
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return 0;
        }
        let thousandths = format!("{fraction:0<3}").parse::<u16>().unwrap_or(0);
        match whole {
            "0" => thousandths,
            "1" if thousandths == 0 => 1000,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn formats() {
        for (accept, expected) in [
            (&[][..], Format::Prometheus),
            (&["*/*"], Format::Prometheus),
            (&["text/html,application/xhtml+xml,*/*;q=0.8"], Format::Prometheus),
            (&["application/openmetrics-text"], Format::OpenMetrics),
            (
                &["application/openmetrics-text;version=0.0.1"],
                Format::Prometheus,
            ),
            (
                &["application/openmetrics-text; version=\"1.0.0\"; charset=utf-8"],
                Format::OpenMetrics,
            ),
            (
                &["application/openmetrics-text;version=1.0.0;q=0"],
                Format::Prometheus,
            ),
            (
                &["application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3"],
                Format::Prometheus,
            ),
            (
                &[
                    "text/plain;version=0.0.4;q=0.3",
                    "application/openmetrics-text;q=0.31",
                ],
                Format::OpenMetrics,
            ),
            // What Prometheus 2.53 and 3 send.
            (
                &[
                    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                   text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                Format::OpenMetrics,
            ),
            (
                &[
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                   application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                   text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                Format::OpenMetrics,
            ),
            (&["text/plain;version=0.0.4;q=nan"], Format::Prometheus),
            (&["application/openmetrics-text;q=1.5"], Format::Prometheus),
            (&[";;;,,,=;q"], Format::Prometheus),
        ] {
            assert_eq!(format(&headers(ACCEPT, accept)), expected, "{accept:?}");
        }
    }

    #[test]
    fn encodings() {
        for (accept, expected) in [
            (&[][..], false),
            (&["gzip"], true),
            (&["deflate, gzip;q=0.5"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0.000, *"], false),
            (&["*"], true),
            (&["identity"], false),
        ] {
            assert_eq!(gzip(&headers(ACCEPT_ENCODING, accept)), expected, "{accept:?}");
        }
    }
}
