//! Where a page comes from, and what its first bytes say.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tidemark_app::exit::Failure;

/// Bytes that are looked at to find out what a page is.
const HEAD_BYTES: u64 = 64 * 1024;

/// A page that is being read.
pub(super) struct Input {
    /// What it is called in messages.
    pub(super) name: String,
    /// Its first bytes, without a byte order mark. They are the first that [`Input::read`] gives, too.
    pub(super) head: Vec<u8>,
    /// Bytes of a byte order mark that stood before the head.
    pub(super) mark: usize,
    given: usize,
    rest: Box<dyn Read>,
}

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Input {
    /// Opens a file, or standard input where there is none, and reads its head.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let name = file.map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        let opened: io::Result<Box<dyn Read>> = match file {
            Some(file) => File::open(file).map(|file| Box::new(file) as _),
            None => Ok(Box::new(io::stdin().lock())),
        };
        opened
            .and_then(|rest| Self::new(&name, rest))
            .map_err(|error| unreadable(&name, &error))
    }

    /// A page that is read from `rest`.
    pub(super) fn new(name: &str, mut rest: Box<dyn Read>) -> io::Result<Self> {
        let mut head = Vec::new();
        rest.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
        let mark = match head.starts_with(BYTE_ORDER_MARK) {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        head.drain(..mark);
        Ok(Self {
            name: name.to_owned(),
            head,
            mark,
            given: 0,
            rest,
        })
    }

    /// Appends up to so many bytes; fewer only at the end.
    pub(super) fn read(&mut self, bytes: usize, into: &mut Vec<u8>) -> Result<usize, Failure> {
        let of_head = self.head.get(self.given..).unwrap_or_default();
        let of_head = of_head.get(..bytes).unwrap_or(of_head);
        into.extend_from_slice(of_head);
        self.given += of_head.len();
        let mut read = of_head.len();
        if read < bytes {
            let limit = (bytes - read) as u64;
            read += self
                .rest
                .by_ref()
                .take(limit)
                .read_to_end(into)
                .map_err(|error| unreadable(&self.name, &error))?;
        }
        Ok(read)
    }

    /// Why this is no text that could be checked, and what to do.
    pub(super) fn is_no_text(&self) -> Option<String> {
        let (what, command) = match self.head.as_slice() {
            _ if self.mark > 0 => return None,
            [0x1f, 0x8b, ..] => ("gzip-compressed", "gunzip -c"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => ("zstd-compressed", "zstd -dc"),
            [0x42, 0x5a, 0x68, _, 0x31, 0x41, 0x59, ..] => ("bzip2-compressed", "bzip2 -dc"),
            [0xfd, 0x37, 0x7a, 0x58, 0x5a, ..] => ("xz-compressed", "xz -dc"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", "iconv -f UTF-16 -t UTF-8"),
            head if is_binary(head) => {
                return Some("this is binary, no text: name a page of metrics".to_owned());
            }
            _ => return None,
        };
        let file = if self.name == "-" { "FILE" } else { &self.name };
        Some(format!(
            "this is {what}: write `{command} {file} | tidemark lint`"
        ))
    }
}

/// Whether bytes are no text: a zero byte alone may be in a label's value, bytes that are no UTF-8 a mistake of one line.
fn is_binary(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    !is_utf8 && head.contains(&0)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::run(format!("{name}: cannot be read: {error}"))
}
