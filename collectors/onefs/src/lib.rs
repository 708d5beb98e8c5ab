//! The collector `onefs`: the statistics of OneFS storage clusters, under the names that gostats and its dashboards know.

pub mod bucket;
pub mod group;
pub mod schedule;
pub mod stock;

use tidemark_collect::{CollectorError, Context, Metric, Needs, Points, Schema, Settings, Span};

/// The statistics of OneFS (PowerScale, Isilon) storage clusters.
#[derive(Debug, Settings)]
pub struct Onefs {}

impl Metric for Onefs {
    const NAME: &'static str = "onefs";
    const RUN_INTERVAL: Span = Span::secs(30);
    const NEEDS: Needs = Needs::NETWORK;
    const MEASUREMENTS: &'static [&'static Schema] = &[];
    const RULE: Option<&'static str> = Some("the cluster's statistics keys");

    async fn collect(&self, _: &Context) -> Result<Points, CollectorError> {
        Err(CollectorError::other("no cluster is configured"))
    }
}
