use tidemark_collect::http::Body;

/// Whether a body is the end of a file alone: the answer to a request for a file's last bytes (`range: bytes=-2048`), where
/// the file is longer and the server knows ranges.
///
/// A server that knows none gives the whole (200), and one may give the whole as a part (206) that begins with the first
/// byte. A part that does not say where it begins may begin anywhere.
pub fn is_cut(body: &Body) -> bool {
    body.status() == 206 && !body.header("content-range").is_some_and(begins_the_file)
}

/// Whether a `Content-Range` begins at the file's first byte: `bytes 0-99/100`.
fn begins_the_file(range: &str) -> bool {
    let range = range.trim_start();
    let range = range.strip_prefix("bytes").unwrap_or(range);
    range
        .trim_start()
        .split_once('-')
        .is_some_and(|(first, _)| first == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_may_begin_with_the_first_byte() {
        for range in [
            "bytes 0-99/100",
            "bytes 0-99/*",
            " bytes  0-0/1",
            "0-99/100",
            "bytes0-1/2",
        ] {
            assert!(begins_the_file(range), "{range}");
        }
        for range in [
            "bytes 1-99/100",
            "bytes 10-99/100",
            "bytes 00-9/100",
            "bytes */100",
            "bytes",
            "",
            "-",
        ] {
            assert!(!begins_the_file(range), "{range}");
        }
    }
}
