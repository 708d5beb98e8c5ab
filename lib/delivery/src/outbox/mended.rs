//! Refused points whose text an operator has mended: they are taken as new points.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection as _, SqliteConnection};
use tidemark_point::Point;

use super::commit::Commit;
use super::{Outbox, bounds};
use crate::body::{Style, bodies};
use crate::sink::{FLUSH_NAME, SinkSpec};
use crate::submission::{NO_PART, Packed};
use crate::{DeliveryError, words};

/// A point whose text was mended, and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Mended {
    /// The point as it is now.
    pub point: Point,
    /// The refused points that it stands for, by [`RejectedPoint::id`](super::RejectedPoint::id); none for a point that
    /// was not refused here.
    pub refused: Vec<i64>,
    /// The sink that gets it; where there is none, those that refused it.
    pub sink: Option<String>,
}

/// What [`Outbox::take_mended`] took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Points that wait now, by sink.
    pub sinks: BTreeMap<String, u64>,
    /// Refused points that are acknowledged now, and whose texts are forgotten.
    pub acknowledged: u64,
    /// What had to go to make room, a notice each.
    pub notices: Vec<String>,
}

/// A refused point, as far as it matters here.
struct Refused {
    sink: i64,
    sink_name: String,
    collector: String,
}

/// The points of one collector that go to the same sinks, in the order in which they were given.
type Groups<'a> = BTreeMap<(&'a str, BTreeSet<&'a str>), Vec<Point>>;

impl Outbox {
    /// Takes mended points for the sinks that refused them, as new batches of their collectors; all or nothing, durable
    /// when this returns.
    ///
    /// In the ledger a mended point is a new one: `collected` and `waiting` count it. The point that it stands for was
    /// refused and stays in `rejected`; it is acknowledged, and its text is forgotten. A point that stands for none has
    /// the collector [`FLUSH_NAME`].
    ///
    /// # Errors
    /// [`DeliveryError::Unknown`] where a refused point is kept no more (it was taken already, dropped, or the oldest of
    /// too many), where a sink is in no settings, or where it is not said for whom a point is.
    pub async fn take_mended(&self, points: &[Mended]) -> Result<Taken, DeliveryError> {
        let failed = |error| self.failed(error);
        let mut db = self.connection().await;
        let mut transaction = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let ids: BTreeSet<i64> = points
            .iter()
            .flat_map(|one| one.refused.iter().copied())
            .collect();
        let refused = self.refused(&mut transaction, &ids).await?;
        let mut commits = Vec::new();
        for ((collector, names), points) in groups(points, &refused)? {
            let sinks = names.into_iter().map(|name| self.configured(name));
            commits.push(self.mended_commit(collector, sinks.collect::<Result<_, _>>()?, &points)?);
        }
        let mut taken = Taken {
            acknowledged: refused.len() as u64,
            ..Taken::default()
        };
        let incoming = commits
            .iter()
            .flat_map(|commit| &commit.bodies)
            .map(|packed| bounds::size(&packed.body))
            .sum();
        taken.notices = bounds::make_room(self, &mut transaction, incoming, self.clock.now()).await?;
        for commit in commits {
            let points: u64 = commit
                .bodies
                .iter()
                .map(|packed| u64::from(packed.body.points))
                .sum();
            for sink in &commit.sinks {
                *taken.sinks.entry(sink.name().to_owned()).or_default() += points;
            }
            commit.script().run(&mut transaction).await.map_err(failed)?;
        }
        for (id, refused) in &refused {
            acknowledge(&mut transaction, *id, refused.sink)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(taken)
    }

    /// The refused points of these numbers: all of them, or an error.
    async fn refused(
        &self,
        db: &mut SqliteConnection,
        ids: &BTreeSet<i64>,
    ) -> Result<BTreeMap<i64, Refused>, DeliveryError> {
        let mut found = BTreeMap::new();
        for id in ids {
            let row: Option<(i64, String, String)> = sqlx::query_as(
                "SELECT r.sink, s.name, r.collector FROM rejected r JOIN sink s ON s.id = r.sink WHERE r.id = ?",
            )
            .bind(id)
            .fetch_optional(&mut *db)
            .await
            .map_err(|error| self.failed(error))?;
            let Some((sink, sink_name, collector)) = row else {
                return Err(DeliveryError::Unknown {
                    what: format!("the refused point {id}"),
                });
            };
            let refused = Refused {
                sink,
                sink_name,
                collector,
            };
            found.insert(*id, refused);
        }
        Ok(found)
    }

    fn configured(&self, name: &str) -> Result<&SinkSpec, DeliveryError> {
        let found = self.sinks.iter().find(|sink| sink.name() == name);
        found.ok_or_else(|| DeliveryError::Unknown {
            what: format!("the sink {:?} in the settings", words::words(name)),
        })
    }

    fn mended_commit<'a>(
        &self,
        collector: &'a str,
        sinks: Vec<&'a SinkSpec>,
        points: &[Point],
    ) -> Result<Commit<'a>, DeliveryError> {
        let style = Style::of(sinks.iter().map(|sink| sink.sink_kind()));
        let bodies = bodies(&[points], style).map_err(|source| self.unpackable(source))?;
        let packed = bodies.into_iter().map(|body| Packed {
            own: false,
            target: None,
            part: NO_PART,
            body,
        });
        Ok(Commit {
            collector,
            runs: Vec::new(),
            sinks,
            bodies: packed.collect(),
            now: self.clock.now(),
        })
    }
}

fn groups<'a>(
    points: &'a [Mended],
    refused: &'a BTreeMap<i64, Refused>,
) -> Result<Groups<'a>, DeliveryError> {
    let mut groups = Groups::new();
    for one in points {
        let stands_for = || one.refused.iter().filter_map(|id| refused.get(id));
        let collector = stands_for().next().map_or(FLUSH_NAME, |of| of.collector.as_str());
        let sinks: BTreeSet<&str> = match &one.sink {
            Some(sink) => BTreeSet::from([sink.as_str()]),
            None => stands_for().map(|of| of.sink_name.as_str()).collect(),
        };
        if sinks.is_empty() {
            return Err(DeliveryError::Unknown {
                what: "the sink that a mended point is for".to_owned(),
            });
        }
        groups
            .entry((collector, sinks))
            .or_default()
            .push(one.point.clone());
    }
    Ok(groups)
}

/// Acknowledges one refused point, and forgets its text.
async fn acknowledge(db: &mut SqliteConnection, id: i64, sink: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM rejected WHERE id = ?")
        .bind(id)
        .execute(&mut *db)
        .await?;
    sqlx::query("UPDATE sink SET acknowledged = min(acknowledged + 1, rejected + dropped) WHERE id = ?")
        .bind(sink)
        .execute(&mut *db)
        .await?;
    Ok(())
}
