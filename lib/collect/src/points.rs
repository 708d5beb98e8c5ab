use tidemark_point::{Adjustments, Measurement, Point, PointError, Timestamp};

/// The points of a run, with a count of what had to be changed to make them valid.
///
/// ```
/// use tidemark_collect::{Measurement, Points, Timestamp};
///
/// /// A queue.
/// #[derive(Measurement)]
/// #[measurement("queue")]
/// struct Queue {
///     /// Entries in it.
///     count: i64,
///     /// Mean age.
///     #[unit("d")]
///     average_age: Option<f64>,
/// }
///
/// let points = Points::at(Timestamp::EPOCH, [Queue { count: 3, average_age: Some(f64::NAN) }]);
/// assert_eq!(points.len(), 1);
/// assert!(!points.adjustments().is_empty()); // one field was not a number
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    points: Vec<Point>,
    adjustments: Adjustments,
}

impl Points {
    /// No points yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One point of each of these, all of the same time (unless a measurement brings its own).
    pub fn at<M: Measurement>(time: Timestamp, measurements: impl IntoIterator<Item = M>) -> Self {
        let mut points = Self::new();
        points.extend_at(time, measurements);
        points
    }

    /// Adds a measurement's point. One that has nothing valid to say is left out and counted.
    pub fn push(&mut self, measurement: impl Measurement, time: Timestamp) {
        let made = measurement.into_point(time, &mut self.adjustments);
        self.take(made);
    }

    /// Adds one point of each of these.
    pub fn extend_at<M: Measurement>(&mut self, time: Timestamp, measurements: impl IntoIterator<Item = M>) {
        for measurement in measurements {
            self.push(measurement, time);
        }
    }

    /// Adds a point that was built by hand.
    pub fn push_point(&mut self, point: Point) {
        self.points.push(point);
    }

    /// Adds all of `other`, its adjustments too.
    pub fn append(&mut self, other: Points) {
        self.points.extend(other.points);
        self.adjustments.merge(&other.adjustments);
    }

    /// What had to be changed or left out so far.
    pub fn adjustments(&self) -> &Adjustments {
        &self.adjustments
    }

    /// To count what is changed while building points by hand.
    pub fn adjustments_mut(&mut self) -> &mut Adjustments {
        &mut self.adjustments
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points, in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Point> {
        self.points.iter()
    }

    /// The points and the count of what was changed.
    pub fn into_parts(self) -> (Vec<Point>, Adjustments) {
        (self.points, self.adjustments)
    }

    /// The builder has counted a refused point already.
    fn take(&mut self, made: Result<Point, PointError>) {
        self.points.extend(made.ok());
    }
}

impl<'a> IntoIterator for &'a Points {
    type Item = &'a Point;
    type IntoIter = std::slice::Iter<'a, Point>;

    fn into_iter(self) -> Self::IntoIter {
        self.points.iter()
    }
}

impl FromIterator<Point> for Points {
    fn from_iter<I: IntoIterator<Item = Point>>(points: I) -> Self {
        Self {
            points: points.into_iter().collect(),
            adjustments: Adjustments::default(),
        }
    }
}

impl Extend<Point> for Points {
    fn extend<I: IntoIterator<Item = Point>>(&mut self, points: I) {
        self.points.extend(points);
    }
}

impl<M: Measurement> FromIterator<(M, Timestamp)> for Points {
    fn from_iter<I: IntoIterator<Item = (M, Timestamp)>>(measurements: I) -> Self {
        let mut points = Self::new();
        points.extend(measurements);
        points
    }
}

impl<M: Measurement> Extend<(M, Timestamp)> for Points {
    fn extend<I: IntoIterator<Item = (M, Timestamp)>>(&mut self, measurements: I) {
        for (measurement, time) in measurements {
            self.push(measurement, time);
        }
    }
}
