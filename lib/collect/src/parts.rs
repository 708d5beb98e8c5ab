use std::fmt::Display;

use crate::{CollectorError, Context, Points, chain};

/// The parts of a run that looks at several things: what one of them does not give is a gap that names it, and the
/// others go on. Where every part failed, the run is an error.
///
/// A part is what an operator would name: "noble's update_excuses.html". One that answers and has nothing to say did
/// not fail.
///
/// ```
/// use tidemark_collect::{CollectorError, Context, Parts, Points};
///
/// let cx = Context::builder().build();
/// let mut parts = Parts::new(&cx);
/// parts.take("noble", Ok(Points::new()));
/// parts.take("jammy", Err(CollectorError::other("the report is empty")));
/// assert!(parts.end().is_ok());
/// assert_eq!(cx.take_gaps(), ["jammy: the report is empty"]);
/// ```
#[derive(Debug)]
#[must_use = "the points are in `end`"]
pub struct Parts<'a> {
    cx: &'a Context,
    points: Points,
    taken: usize,
    failed: usize,
    first: Option<(String, CollectorError)>,
}

impl<'a> Parts<'a> {
    /// No parts yet; the gaps go to this run.
    pub fn new(cx: &'a Context) -> Self {
        Self {
            cx,
            points: Points::new(),
            taken: 0,
            failed: 0,
            first: None,
        }
    }

    /// Takes what a part came to: its points, or a gap `PART: why`.
    pub fn take(&mut self, part: impl Display, outcome: Result<Points, CollectorError>) {
        self.taken += 1;
        match outcome {
            Ok(points) => self.points.append(points),
            Err(error) => {
                self.failed += 1;
                self.cx.gap(format_args!("{part}: {}", chain(&error)));
                self.first.get_or_insert_with(|| (part.to_string(), error));
            }
        }
    }

    /// The points of all parts.
    ///
    /// # Errors
    /// Where every part failed, with their number and what the first one failed of. No parts at all are no failure.
    pub fn end(self) -> Result<Points, CollectorError> {
        match self.first {
            Some((part, error)) if self.taken == 1 => Err(CollectorError::caused(part, error)),
            Some((part, error)) if self.failed == self.taken => Err(CollectorError::caused(
                format_args!(
                    "none of the {} parts gave anything; the first, {part}",
                    self.taken
                ),
                error,
            )),
            _ => Ok(self.points),
        }
    }
}
