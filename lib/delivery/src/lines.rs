//! Which lines of a batch are meant, and where they are in its text.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A set of lines of a batch, by their numbers from 0: ranges in ascending order that do not touch.
///
/// Its text (`0-99,150,200-4999`) is what the outbox keeps of a batch that is partly settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<Range<u32>>);

impl Lines {
    /// The first `count` lines.
    pub(crate) fn all(count: u32) -> Self {
        Self(if count == 0 {
            Vec::new()
        } else {
            std::iter::once(0..count).collect()
        })
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these are the lines from 0 to `count`.
    pub(crate) fn is_all(&self, count: u32) -> bool {
        *self == Self::all(count)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().cloned().flatten()
    }

    /// The first half and the rest; the first has one more where the number is odd.
    pub(crate) fn halves(&self) -> (Self, Self) {
        let half = self.count().div_ceil(2);
        let (mut first, mut second) = (Self::default(), Self::default());
        let mut taken = 0;
        for range in &self.0 {
            let cut = range.start + half.saturating_sub(taken).min(range.end - range.start);
            taken += range.end - range.start;
            first.push(range.start..cut);
            second.push(cut..range.end);
        }
        (first, second)
    }

    /// Those that are meant, and the others.
    pub(crate) fn partition(&self, mut meant: impl FnMut(u32) -> bool) -> (Self, Self) {
        let (mut yes, mut no) = (Self::default(), Self::default());
        for line in self.iter() {
            if meant(line) {
                yes.push(line..line + 1)
            } else {
                no.push(line..line + 1)
            }
        }
        (yes, no)
    }

    /// All lines of these sets, which have none in common.
    pub(crate) fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> Self {
        let mut ranges: Vec<_> = sets.flat_map(|lines| lines.0.iter().cloned()).collect();
        ranges.sort_by_key(|range| range.start);
        let mut all = Self::default();
        ranges.into_iter().for_each(|range| all.push(range));
        all
    }

    /// Adds lines behind all others.
    pub(crate) fn push(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            match range.end - range.start {
                1 => write!(f, "{}", range.start)?,
                _ => write!(f, "{}-{}", range.start, range.end - 1)?,
            }
        }
        Ok(())
    }
}

impl FromStr for Lines {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut lines = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (u32, u32) = (first.parse().map_err(|_| ())?, last.parse().map_err(|_| ())?);
            let end = last.checked_add(1).ok_or(())?;
            if first >= end || lines.0.last().is_some_and(|before| before.end > first) {
                return Err(());
            }
            lines.push(first..end);
        }
        Ok(lines)
    }
}

/// The lines of a text: one point is one physical line.
#[derive(Debug)]
pub(crate) struct LineTexts<'a> {
    text: &'a [u8],
    /// Where each line begins, and where the text ends.
    starts: Vec<usize>,
}

impl<'a> LineTexts<'a> {
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(place, _)| place + 1),
        );
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Self { text, starts }
    }

    /// The line without its line break; empty where there is none of that number.
    pub(crate) fn get(&self, line: u32) -> &'a [u8] {
        let whole = self.whole(line);
        whole.strip_suffix(b"\n").unwrap_or(whole)
    }

    fn whole(&self, line: u32) -> &'a [u8] {
        let line = line as usize;
        match (self.starts.get(line), self.starts.get(line + 1)) {
            (Some(&start), Some(&end)) => self.text.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The text of some lines, with their line breaks.
    pub(crate) fn join(&self, lines: &Lines) -> Vec<u8> {
        let mut out = Vec::new();
        lines
            .iter()
            .for_each(|line| out.extend_from_slice(self.whole(line)));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_cover_all() {
        let lines: Lines = "0-2,5,8-9".parse().unwrap();
        let (first, second) = lines.halves();
        assert_eq!(
            (first.to_string().as_str(), second.to_string().as_str()),
            ("0-2", "5,8-9")
        );
        let (first, second) = Lines::all(1).halves();
        assert_eq!((first.count(), second.count()), (1, 0));
        assert_eq!(Lines::all(0).to_string(), "");
    }

    #[test]
    fn damaged_texts_are_refused() {
        for bad in ["5-4", "3,1", "1-5,5", "x", "-", "1-", "4294967295", "1--2"] {
            assert!(bad.parse::<Lines>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_of_a_text() {
        let texts = LineTexts::of(b"a\nbb\nccc\n");
        assert_eq!(
            (texts.get(0), texts.get(2), texts.get(3)),
            (&b"a"[..], &b"ccc"[..], &b""[..])
        );
        assert_eq!(texts.join(&"0,2".parse().unwrap()), b"a\nccc\n");
        assert_eq!(LineTexts::of(b"a\nb").get(1), b"b");
    }

    proptest! {
        #[test]
        fn any_set_reads_back_and_divides(numbers in proptest::collection::btree_set(0u32..500, 0..80)) {
            let (lines, others) = Lines::all(500).partition(|line| numbers.contains(&line));
            prop_assert_eq!(lines.iter().collect::<Vec<_>>(), numbers.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(lines.to_string().parse::<Lines>().unwrap(), lines.clone());
            let (first, second) = lines.halves();
            prop_assert_eq!(first.count(), lines.count().div_ceil(2));
            prop_assert_eq!(&Lines::union([&second, &first].into_iter()), &lines);
            prop_assert_eq!(Lines::union([&others, &lines].into_iter()), Lines::all(500));
        }
    }
}
