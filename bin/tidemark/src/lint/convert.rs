//! What is right in a page, in another format.

use tidemark_app::exit::{self, Failure};
use tidemark_app::output::{self, Format};
use tidemark_point::exposition::{self, Times};
use tidemark_point::line::{self, Dialect};
use tidemark_point::{Declarations, Point};

use super::findings::{Findings, Place};
use crate::arguments::ConvertedFormat;

/// Points that make one page of OpenMetrics: it is sorted by families, and so made in memory.
const MAX_POINTS_OF_A_PAGE: usize = 1_000_000;
/// Bytes of text that are written at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// Prints points as they come.
pub(super) struct Converter {
    to: Option<ConvertedFormat>,
    /// Not written yet.
    text: Vec<u8>,
    /// Whether there was a point.
    begun: bool,
    /// Those of a page of OpenMetrics.
    points: Vec<Point>,
    /// Nothing: a page of points says nothing of its fields.
    declarations: Declarations,
}

impl Converter {
    pub(super) fn new(to: Option<ConvertedFormat>) -> Self {
        Self {
            to,
            text: Vec::new(),
            begun: false,
            points: Vec::new(),
            declarations: Declarations::new(),
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.to.is_some()
    }

    pub(super) fn push(&mut self, point: Point) -> Result<(), Failure> {
        match self.to {
            None => {}
            Some(ConvertedFormat::Influx) => line::write_point(&mut self.text, &point, Dialect::V2),
            Some(ConvertedFormat::Json) => self.json(&point),
            Some(ConvertedFormat::OpenMetrics) if self.points.len() < MAX_POINTS_OF_A_PAGE => {
                self.points.push(point);
            }
            Some(ConvertedFormat::OpenMetrics) => {
                return Err(Failure::run(format!(
                    "more than {MAX_POINTS_OF_A_PAGE} points are no page of OpenMetrics: divide them"
                )));
            }
        }
        match self.text.len() >= WRITTEN_AT_ONCE {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// The next object of the array.
    fn json(&mut self, point: &Point) {
        let array = output::render(
            std::slice::from_ref(point),
            Format::Json,
            Dialect::V2,
            &self.declarations,
        );
        let object = array
            .text
            .strip_prefix(b"[\n")
            .and_then(|rest| rest.strip_suffix(b"\n]\n"))
            .unwrap_or_default();
        self.text
            .extend_from_slice(if self.begun { b",\n" } else { b"[\n" });
        self.text.extend_from_slice(object);
        self.begun = true;
    }

    /// Prints a whole text.
    pub(super) fn print(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.text.extend_from_slice(text);
        self.write()
    }

    fn write(&mut self) -> Result<(), Failure> {
        exit::print(&self.text)?;
        self.text.clear();
        Ok(())
    }

    /// Prints what is left, and says what a page could not hold.
    pub(super) fn end(mut self, findings: &mut Findings) -> Result<(), Failure> {
        match self.to {
            Some(ConvertedFormat::Json) => {
                let end: &[u8] = if self.begun { b"\n]\n" } else { b"[]\n" };
                self.text.extend_from_slice(end);
            }
            Some(ConvertedFormat::OpenMetrics) => {
                let page = exposition::write(
                    &self.points,
                    &self.declarations,
                    exposition::Format::OpenMetrics,
                    Times::Keep,
                );
                if !page.left_out.is_empty() {
                    let what = format!("converted: {}", page.left_out);
                    findings.notice(Place::new(1, 1), &what)?;
                }
                self.text.extend_from_slice(&page.text);
            }
            Some(ConvertedFormat::Influx) | None => {}
        }
        self.write()
    }
}
