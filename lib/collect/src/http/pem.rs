//! The certificates in a PEM file (RFC 7468), each decoded only as far as somebody asks.
//!
//! rustls' own reader, which `ca_file` is read with, decodes every certificate of a file. For the bundle of a
//! distribution, of which a handshake needs one or two, that takes three times as long as this (0.53 against 0.18 ms
//! for 144 authorities), and as long as an eighth of a whole run.

use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The longest PEM file that is read: four hundred times a distribution's bundle would not be one.
const FILE_LIMIT: u64 = 16 << 20;

/// What is in a PEM file.
///
/// # Errors
/// Where it cannot be read, or is longer than 16 MiB.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    // Room at once: a file that says that it is longer is still read to the limit only.
    let length = file.metadata()?.len().min(FILE_LIMIT);
    let mut bytes = Vec::with_capacity(usize::try_from(length + 1).unwrap_or(0));
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {FILE_LIMIT} bytes"),
        ));
    }
    Ok(bytes)
}

/// The base64 text of each certificate, with its line ends.
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

/// Decodes base64 in lines, into room that is used again.
#[derive(Default)]
pub(super) struct Decoder {
    characters: Vec<u8>,
    bytes: Vec<u8>,
}

impl Decoder {
    /// All bytes of a certificate's text; `None` where it is no base64.
    pub(super) fn all(&mut self, body: &str) -> Option<&[u8]> {
        self.start(body, usize::MAX)
    }

    /// The bytes of the first characters, line ends not counted. `characters` is a multiple of four.
    pub(super) fn start(&mut self, body: &str, characters: usize) -> Option<&[u8]> {
        self.characters.clear();
        for line in body.as_bytes().split(|&byte| byte == b'\n') {
            if self.characters.len() >= characters {
                break;
            }
            self.characters.extend_from_slice(line.trim_ascii());
        }
        self.characters.truncate(characters);
        let room = base64::decoded_len_estimate(self.characters.len());
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        let length = STANDARD.decode_slice(&self.characters, &mut self.bytes).ok()?;
        self.bytes.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Option<Vec<u8>> {
        Decoder::default().all(body).map(<[u8]>::to_vec)
    }

    #[test]
    fn base64_in_lines_of_any_length() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("\nZm8=\n", "fo"),
            ("Zm9\r\nvYg==\n", "foob"),
            ("\r\n Zm9v\t\r\nYmFy  \r\n", "foobar"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(bytes.as_bytes()), "{text:?}");
        }
        for text in ["Z", "Zg=", "Zm9=v", "Zm8=Zm8=", "Zm9é", "Zm9_", "===="] {
            assert_eq!(decoded(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_start_is_decoded_alone() {
        let mut decoder = Decoder::default();
        let body = "Zm9vYmFy\nZm9vYmFy\n!!!!";
        assert_eq!(decoder.start(body, 4), Some(&b"foo"[..]));
        assert_eq!(decoder.start(body, 8), Some(&b"foobar"[..]));
        assert_eq!(decoder.start(body, 12), Some(&b"foobarfoo"[..]));
        assert_eq!(decoder.all(body), None);
        // What was there before is no part of it.
        assert_eq!(decoder.all("Zg=="), Some(&b"f"[..]));
    }

    #[test]
    fn certificates_are_found_among_other_things() {
        let text = "# a - comment\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                    -----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\njunk\n\
                    -----BEGIN CERTIFICATE-----\nYmFy\n-----END CERTIFICATE-----\n--";
        let found: Vec<_> = certificates(text).map(|body| decoded(body).unwrap()).collect();
        assert_eq!(found, [b"foo", b"bar"]);
    }

    #[test]
    fn a_certificate_that_is_cut_off_is_not_one() {
        let found: Vec<_> = certificates("-----BEGIN CERTIFICATE-----\nZm9vY")
            .map(decoded)
            .collect();
        assert_eq!(found, [None]);
    }

    #[test]
    fn a_file_longer_than_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.pem");
        // Sparse: it takes no room on the disk.
        std::fs::File::create(&path)
            .unwrap()
            .set_len(FILE_LIMIT + 1)
            .unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.to_string(), "it is longer than 16777216 bytes");
    }
}
