use tidemark_collect::http::Url;

/// The address of `path` below `base`, which may end with a slash or not; the query of `base` is kept.
///
/// `path` is relative, its segments as they are meant to be read: what is special in an address (`?`, `#`, `%`, spaces)
/// is percent-encoded and stays part of the name. Empty segments and those that are `.` or `..` are left out, so that
/// nothing leads out of `base`; a final slash is kept.
///
/// ```
/// use tidemark_collect::http::Url;
/// use tidemark_ubuntu::below;
///
/// let base = Url::parse("https://mirror.example/devel/?key=1").unwrap();
/// assert_eq!(below(&base, "ubuntu/series").as_str(), "https://mirror.example/devel/ubuntu/series?key=1");
/// assert_eq!(below(&base, "a b/c?/").as_str(), "https://mirror.example/devel/a%20b/c%3F/?key=1");
/// assert_eq!(below(&base, "../etc").as_str(), "https://mirror.example/devel/etc?key=1");
/// ```
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_fragment(None);
    // What has no path (`mailto:`) is no base; a request of it says so.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        segments.extend(path.split('/').filter(|segment| !is_empty(segment)));
        if path.ends_with('/') {
            segments.push("");
        }
    }
    url
}

/// Whether a segment names nothing: tabs and newlines have no place in an address, and are taken out of it.
fn is_empty(segment: &str) -> bool {
    let named: String = segment
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .take(3)
        .collect();
    matches!(named.as_str(), "" | "." | "..")
}
