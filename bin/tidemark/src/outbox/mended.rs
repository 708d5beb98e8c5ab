//! Reading the mended text of refused points.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tidemark_app::exit::Failure;
use tidemark_delivery::{Mended, RejectedPoint};
use tidemark_point::Adjustments;
use tidemark_point::line::{self, LineErrorKind};

use super::rejected::{self, BY, MARKER};

/// The longest text that is read: far more than the outbox keeps of what was refused.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Mistakes that are printed; of more, the number is said.
const MAX_MISTAKES: usize = 20;
/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A text, and what it is called in messages.
pub(super) struct Text {
    name: String,
    bytes: Vec<u8>,
}

impl Text {
    /// Reads a file, or standard input where its name is `-`.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let name = file.display().to_string();
        let mut bytes = Vec::new();
        let read = match name.as_str() {
            "-" => read_to_bound(io::stdin().lock(), &mut bytes),
            _ => File::open(file).and_then(|file| read_to_bound(file, &mut bytes)),
        };
        match read {
            Ok(()) if bytes.len() as u64 > MAX_BYTES => Err(Failure::run(format!(
                "{name}: this is more than {MAX_BYTES} bytes: divide it, and take one part after the other"
            ))),
            Ok(()) => Ok(Self { name, bytes }),
            Err(error) => Err(Failure::run(format!("{name}: cannot be read: {error}"))),
        }
    }
}

fn read_to_bound(from: impl Read, into: &mut Vec<u8>) -> io::Result<()> {
    from.take(MAX_BYTES + 1).read_to_end(into).map(|_| ())
}

/// What `text` holds, and what was changed to make points of its lines.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) points: Vec<Mended>,
    pub(super) adjustments: Adjustments,
}

/// Reads the mended lines of a text; `kept` are the refused points that the outbox has, and `sink` gets the lines, where
/// it is named.
///
/// A comment `# refused N by SINK` says which refused point the lines below it stand for, down to the next such comment,
/// or an empty line. Several of them above a line are of several sinks; of two of the same sink, the line of the first
/// one was deleted.
///
/// # Errors
/// Every mistake, by line and column: then nothing may be taken.
pub(super) fn read(text: &Text, kept: &[RejectedPoint], sink: Option<&str>) -> Result<Lines, Failure> {
    let kept: HashMap<i64, &RejectedPoint> = kept.iter().map(|point| (point.id, point)).collect();
    let begin = if text.bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let bytes = text.bytes.get(begin..).unwrap_or_default();
    let mut block = Block::default();
    let mut lines = Lines::default();
    let mut mistakes = Vec::new();
    let mut parser = line::parse(bytes);
    let (mut done, mut number) = (0, 1);
    while let Some(item) = parser.next() {
        let range = parser.range();
        let between = bytes.get(done..range.start).unwrap_or_default();
        mistakes.extend(block.pass(between, number, &kept));
        number += breaks(between);
        match item {
            Ok(_) if sink.is_none() && block.refused.is_empty() && !block.is_wrong => {
                let what = format!(
                    "nothing above says which sink refused this: keep the comment `{MARKER}N{BY}SINK`, or name the \
                     sink with --sink"
                );
                mistakes.push(Mistake::new(number, 1, what));
            }
            Ok(point) => lines.points.push(Mended {
                point,
                refused: block.refused.iter().map(|of| of.id).collect(),
                sink: sink.map(str::to_owned),
            }),
            Err(error) => {
                let what = match &error.kind {
                    LineErrorKind::Point(why) => why.to_string(),
                    kind => kind.to_string(),
                };
                mistakes.push(Mistake::new(error.line, error.column, what));
            }
        }
        block.has_line = true;
        number += breaks(bytes.get(range.clone()).unwrap_or_default());
        done = range.end;
    }
    lines.adjustments = parser.adjustments().clone();
    match (mistakes.is_empty(), lines.points.is_empty()) {
        (true, false) => Ok(lines),
        (true, true) => Err(Failure::run(format!(
            "{}: there is no line in it: nothing was taken",
            text.name
        ))),
        (false, _) => Err(failure(&text.name, &mistakes)),
    }
}

/// What is wrong with a text, and where.
struct Mistake {
    line: usize,
    column: usize,
    what: String,
}

impl Mistake {
    fn new(line: usize, column: usize, what: String) -> Self {
        Self { line, column, what }
    }
}

/// The refused points that the next lines stand for.
#[derive(Default)]
struct Block<'a> {
    refused: Vec<&'a RejectedPoint>,
    /// Whether a line was read since the last comment that counts.
    has_line: bool,
    /// Whether a comment that counts names nothing that is kept; that is a mistake already.
    is_wrong: bool,
}

impl<'a> Block<'a> {
    /// Passes what is between two lines: the rest of the one, comments, empty lines; the first is the line `number`.
    fn pass(
        &mut self,
        between: &[u8],
        number: usize,
        kept: &HashMap<i64, &'a RejectedPoint>,
    ) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let text = String::from_utf8_lossy(between);
        for (index, line) in text.split('\n').enumerate() {
            let comment = line.trim();
            // The first is the rest of a line, the last is what stands before the next one.
            let is_whole = index > 0 && index < breaks(between);
            if comment.is_empty() && is_whole {
                *self = Self::default();
            }
            let Some((id, sink)) = marker(comment) else {
                continue;
            };
            if self.has_line {
                *self = Self::default();
            }
            match kept.get(&id) {
                Some(point) if sink.starts_with(&rejected::name(point)) => {
                    self.refused.retain(|before| before.sink != point.sink);
                    self.refused.push(point);
                }
                _ => {
                    self.is_wrong = true;
                    let what = format!(
                        "the refused point {id} is not kept: it was taken or dropped already; delete its lines, or take \
                         this comment away and name the sink with --sink"
                    );
                    mistakes.push(Mistake::new(number + index, 1, what));
                }
            }
        }
        mistakes
    }
}

/// The number of a refused point, and the sink with what follows it, where a comment names them.
fn marker(comment: &str) -> Option<(i64, &str)> {
    let (id, sink) = comment.strip_prefix(MARKER)?.split_once(BY)?;
    Some((id.parse().ok()?, sink))
}

fn breaks(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}

fn failure(name: &str, mistakes: &[Mistake]) -> Failure {
    let shown = mistakes.iter().take(MAX_MISTAKES);
    let mut lines: Vec<String> = shown
        .map(|Mistake { line, column, what }| format!("{name}:{line}:{column}: {what}"))
        .collect();
    if mistakes.len() > MAX_MISTAKES {
        lines.push(format!("and {} more", mistakes.len() - MAX_MISTAKES));
    }
    lines.push("nothing was taken".to_owned());
    Failure::run(lines.join("\n"))
}
