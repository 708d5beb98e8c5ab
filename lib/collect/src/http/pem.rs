//! PEM (RFC 7468): certificates as text.

use std::io::{self, Read as _};
use std::path::Path;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The text of a PEM file of at most `limit` bytes. What is not UTF-8, in comments, is replaced.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    // Room at once: a file that says that it is longer is still read to the limit only.
    let length = file.metadata()?.len().min(limit);
    bytes.reserve_exact(usize::try_from(length + 1).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {limit} bytes"),
        ));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The base64 text of each certificate.
pub(super) fn certificates(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // By the single dash: the search for one byte is much quicker than that for a line.
        loop {
            let dash = rest.find('-')?;
            rest = rest.get(dash..)?;
            if let Some(after) = rest.strip_prefix(BEGIN) {
                let end = after.find('-').unwrap_or(after.len());
                let (body, after) = after.split_at(end);
                rest = after;
                return Some(body);
            }
            let dashes = rest.bytes().take_while(|&byte| byte == b'-').count();
            rest = rest.get(dashes..)?;
        }
    })
}

/// The bytes of a certificate's base64; `None` where it is none.
pub(super) fn decode(body: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_to(body, usize::MAX, &mut bytes)?;
    Some(bytes)
}

/// The first `limit` bytes (a few more may come) of base64 that may have whitespace in it, instead of what is in
/// `bytes`.
pub(super) fn decode_to(body: &str, limit: usize, bytes: &mut Vec<u8>) -> Option<()> {
    let (mut group, mut count, mut padding) = (0_u32, 0_u32, 0_u32);
    let mut rest = body.as_bytes();
    // Room for all at once: to grow by three bytes costs more than to decode them.
    bytes.clear();
    bytes.resize(limit.min(body.len() / 4 * 3).saturating_add(3), 0);
    let mut end = 0;
    while let Some((&character, after)) = rest.split_first() {
        if end >= limit {
            break;
        }
        let room = bytes.get_mut(end..)?.first_chunk_mut::<3>()?;
        // Four at a time, which is nearly all there is.
        if count == 0
            && padding == 0
            && let Some((&quad, after)) = rest.split_first_chunk::<4>()
        {
            let [a, b, c, d] = quad.map(|character| SEXTETS[usize::from(character)]);
            if a | b | c | d < PADDING {
                *room = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
                end += 3;
                rest = after;
                continue;
            }
        }
        rest = after;
        match SEXTETS[usize::from(character)] {
            PADDING => padding += 1,
            SPACE => {}
            INVALID => return None,
            _ if padding > 0 => return None,
            sextet => {
                group = (group << 6) | u32::from(sextet);
                count += 1;
                if count == 4 {
                    let [_, first, second, third] = group.to_be_bytes();
                    *room = [first, second, third];
                    end += 3;
                    (group, count) = (0, 0);
                }
            }
        }
    }
    bytes.truncate(end);
    match (count, padding) {
        _ if end >= limit => {}
        (0, 0) => {}
        (2, 2) => bytes.extend_from_slice(&(group << 12).to_be_bytes()[1..2]),
        (3, 1) => bytes.extend_from_slice(&(group << 6).to_be_bytes()[1..3]),
        _ => return None,
    }
    Some(())
}

/// This and those that follow are no sextets: they have a bit that none of these has.
const PADDING: u8 = 64;
const SPACE: u8 = 65;
const INVALID: u8 = 66;

/// What each character stands for (RFC 4648, section 4).
const SEXTETS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [INVALID; 256];
    let mut value = 0_u8;
    while value < 64 {
        table[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    table[b'=' as usize] = PADDING;
    table[b' ' as usize] = SPACE;
    table[b'\t' as usize] = SPACE;
    table[b'\r' as usize] = SPACE;
    table[b'\n' as usize] = SPACE;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_all_lengths() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9\r\nvYg==\n", "foob"),
            ("Zm 9vY\tmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_no_base64() {
        for text in [
            "Z", "Zg", "Zg=", "Zm9", "Zm9=v", "Zm8=Zm8=", "Zm9é", "Zm9_", "====",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn decoding_stops_at_the_limit() {
        let mut bytes = Vec::new();
        decode_to(&"Zm9v".repeat(100), 10, &mut bytes).unwrap();
        assert_eq!(bytes, b"foofoofoofoo");
    }

    #[test]
    fn certificates_are_found_among_other_things() {
        let text = "# a - comment\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                    -----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\njunk\n\
                    -----BEGIN CERTIFICATE-----\nYmFy\n-----END CERTIFICATE-----\n--";
        let found: Vec<_> = certificates(text).map(|body| decode(body).unwrap()).collect();
        assert_eq!(found, [b"foo", b"bar"]);
    }

    #[test]
    fn a_certificate_that_is_cut_off_is_not_one() {
        let found: Vec<_> = certificates("-----BEGIN CERTIFICATE-----\nZm9vY")
            .map(decode)
            .collect();
        assert_eq!(found, [None]);
    }
}
