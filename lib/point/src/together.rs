//! Points that are made one after the other and share their memory.

use std::ops::Deref;
use std::sync::Arc;

use crate::{Adjustments, Point, PointBuilder, PointError};

/// Points in the making that share one text, so that none takes memory of its own for its names.
///
/// The text lasts as long as any of the points does.
///
/// ```
/// use tidemark_point::{Adjustments, Timestamp, Together};
///
/// let mut together = Together::default();
/// for node in ["1", "2"] {
///     let point = together.builder("node.open.files", 1).tag("devid", node).field("value", 7.0);
///     together.add(point.time(Timestamp::EPOCH), &mut Adjustments::default())?;
/// }
/// let points = together.finish();
/// assert_eq!(points[1].series_key(), "node.open.files,devid=2");
/// # Ok::<(), tidemark_point::PointError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Together {
    text: String,
    /// Their texts are nowhere until the whole is there.
    points: Vec<Point>,
    /// The memory of the text of the point before.
    room: String,
}

impl Together {
    /// Makes room for so many more points.
    pub fn reserve(&mut self, points: usize) {
        self.points.reserve(points);
    }

    /// Begins a point of so many fields, as [`Point::builder`] does; more cost time alone. [`add`](Self::add) takes it.
    pub fn builder(&mut self, measurement: &str, fields: usize) -> PointBuilder {
        PointBuilder::in_room(std::mem::take(&mut self.room), measurement, fields)
    }

    /// Takes what was begun with [`builder`](Self::builder), as [`PointBuilder::build`] does.
    ///
    /// # Errors
    /// Where it is no point.
    pub fn add(&mut self, builder: PointBuilder, adjustments: &mut Adjustments) -> Result<(), PointError> {
        let mut point = builder.build(adjustments)?;
        if let Text::Own(text) = &mut point.series.text
            && let Ok(start) = u32::try_from(self.text.len())
            && let Ok(end) = u32::try_from(self.text.len() + text.len())
        {
            self.text.push_str(text);
            self.room = std::mem::take(text);
            point.series.text = Text::Awaited { start, end };
        }
        self.points.push(point);
        Ok(())
    }

    /// The points, in their order; none are left.
    pub fn finish(&mut self) -> Vec<Point> {
        let mut whole = std::mem::take(&mut self.text);
        whole.shrink_to_fit();
        let whole = Arc::new(whole);
        for point in &mut self.points {
            if let Text::Awaited { start, end } = point.series.text {
                let whole = Arc::clone(&whole);
                point.series.text = Text::Shared { whole, start, end };
            }
        }
        std::mem::take(&mut self.points)
    }
}

/// The text of a point's names.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// In memory of its own.
    Own(String),
    /// A part of a text that many share.
    Shared {
        whole: Arc<String>,
        start: u32,
        end: u32,
    },
    /// A part of a text that is not there yet.
    Awaited { start: u32, end: u32 },
}

impl Text {
    /// Changes the text, which is in memory of its own from here on.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut String) -> T) -> T {
        let mut text = match std::mem::replace(self, Text::Own(String::new())) {
            Text::Own(text) => text,
            text => String::from(&*text),
        };
        let outcome = change(&mut text);
        *self = Text::Own(text);
        outcome
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Own(text) => text,
            Text::Shared { whole, start, end } => {
                whole.get(*start as usize..*end as usize).unwrap_or_default()
            }
            Text::Awaited { .. } => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, Value};

    fn points(names: &[&str], together: &mut Together) -> Vec<Point> {
        for name in names {
            let builder = together
                .builder(name, 1)
                .tag("cluster", "a b")
                .field("value", 1.5);
            let _ = together.add(builder.time(Timestamp::EPOCH), &mut Adjustments::default());
        }
        together.finish()
    }

    fn alone(name: &str) -> Point {
        let builder = Point::builder(name).tag("cluster", "a b").field("value", 1.5);
        let point = builder.time(Timestamp::EPOCH).build(&mut Adjustments::default());
        point.unwrap()
    }

    #[test]
    fn points_are_what_they_are_alone() {
        let mut together = Together::default();
        for _ in 0..2 {
            let made = points(&["load", "odd, name", "", "é"], &mut together);
            assert_eq!(made, [alone("load"), alone("odd, name"), alone("é")]);
            assert_eq!(made[1].series_key(), r"odd\,\ name,cluster=a\ b");
            assert_eq!(made[2].field("value"), Some(&Value::Float(1.5)));
        }
        assert_eq!(together.finish(), []);
    }

    #[test]
    fn a_point_that_is_changed_changes_alone() {
        let mut made = points(&["one", "two"], &mut Together::default());
        made[0].add_tag("host", "h");
        assert_eq!(made[0].series_key(), r"one,cluster=a\ b,host=h");
        assert_eq!(made[0].field("value"), Some(&Value::Float(1.5)));
        assert_eq!(made[1], alone("two"));
        let (one, two) = (made[0].clone(), made.pop().unwrap());
        drop(made);
        assert_eq!(one.measurement(), "one");
        assert_eq!(two.tag("cluster"), Some("a b"));
    }

    #[test]
    fn a_shared_text_takes_no_more_room() {
        assert_eq!(size_of::<Text>(), size_of::<String>());
    }
}
