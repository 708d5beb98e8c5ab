//! What is found in a page: said at once, up to a bound, and counted.

use std::io::Write as _;

use tidemark_app::exit::{self, Failure};
use tidemark_collect::one_line;

use crate::wording::counted;

/// Mistakes that are said; of more, the number is.
pub(super) const MAX_MISTAKES: u64 = 100;
/// Notices that are said; of more, the number is.
pub(super) const MAX_NOTICES: u64 = 20;

/// Where something is in a page; both from 1, columns in bytes.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }
}

/// Where findings go.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(super) enum Channel {
    Output,
    /// Standard output has the converted page.
    Error,
    /// They are kept.
    #[cfg(test)]
    Nowhere,
}

/// The findings of one page.
pub(super) struct Findings {
    name: String,
    channel: Channel,
    mistakes: u64,
    notices: u64,
    /// Not written yet.
    text: String,
}

/// Bytes of text that are written at once.
const WRITTEN_AT_ONCE: usize = 16 * 1024;

impl Findings {
    /// Of the page called `name`.
    pub(super) fn new(name: &str, channel: Channel) -> Self {
        Self {
            name: one_line(name),
            channel,
            mistakes: 0,
            notices: 0,
            text: String::new(),
        }
    }

    /// Whether there was no mistake so far.
    pub(super) fn is_clean(&self) -> bool {
        self.mistakes == 0
    }

    /// Something that its specification forbids, or that servers refuse.
    pub(super) fn mistake(&mut self, place: Place, what: &str) -> Result<(), Failure> {
        self.mistakes += 1;
        match self.mistakes <= MAX_MISTAKES {
            true => self.say(place, "", what),
            false => Ok(()),
        }
    }

    /// Something that is allowed, and probably not meant.
    pub(super) fn notice(&mut self, place: Place, what: &str) -> Result<(), Failure> {
        self.notices += 1;
        match self.notices <= MAX_NOTICES {
            true => self.say(place, "notice: ", what),
            false => Ok(()),
        }
    }

    fn say(&mut self, place: Place, kind: &str, what: &str) -> Result<(), Failure> {
        let Place { line, column } = place;
        let what = one_line(what);
        self.text
            .push_str(&format!("{}:{line}:{column}: {kind}{what}\n", self.name));
        match self.text.len() >= WRITTEN_AT_ONCE {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        match self.channel {
            Channel::Output => exit::print(self.text.as_bytes())?,
            Channel::Error => {
                // A standard error that is gone is no reason to fail: there is nobody left to tell.
                let _ = std::io::stderr().lock().write_all(self.text.as_bytes());
            }
            #[cfg(test)]
            Channel::Nowhere => return Ok(()),
        }
        self.text.clear();
        Ok(())
    }

    /// Says what was too much to say, and sums it up: `read` is what was read, such as `line protocol, 3 points`.
    pub(super) fn sum_up(&mut self, read: &str) -> Result<(), Failure> {
        if self.mistakes > MAX_MISTAKES {
            let more = self.mistakes - MAX_MISTAKES;
            self.text.push_str(&format!(
                "and {}\n",
                counted(more, "more mistake", "more mistakes")
            ));
        }
        if self.notices > MAX_NOTICES {
            let more = self.notices - MAX_NOTICES;
            self.text
                .push_str(&format!("and {}\n", counted(more, "more notice", "more notices")));
        }
        let mistakes = match self.mistakes {
            0 => "no mistakes".to_owned(),
            number => counted(number, "mistake", "mistakes"),
        };
        let notices = match self.notices {
            0 => String::new(),
            number => format!(", {}", counted(number, "notice", "notices")),
        };
        self.text
            .push_str(&format!("{}: {read}: {mistakes}{notices}\n", self.name));
        self.write()
    }

    /// What was said.
    #[cfg(test)]
    pub(super) fn said(&self) -> &str {
        &self.text
    }
}
