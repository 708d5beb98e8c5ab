//! The collector `contributors`: how many people are in Ubuntu's teams, as Launchpad counts them.
//!
//! Of each team there is a point `launchpad_team_members` for its members and one for its participants: those who are in it
//! by being in a team that is. Launchpad is asked for the numbers alone, and no name of a person is kept. A number that it
//! does not give is a gap; where it gives none, the run is an error. It says nothing of what people do.
//!
//! ```
//! use tidemark_collect::Metric;
//! use tidemark_contributors::Contributors;
//!
//! assert_eq!(Contributors::NAME, "contributors");
//! assert_eq!(Contributors::MEASUREMENTS[0].measurement, "launchpad_team_members");
//! ```

use std::collections::BTreeSet;

use tidemark_collect::http::Url;
use tidemark_collect::{
    CollectorError, Context, Measurement, Metric, Needs, Parts, Points, Schema, Settings, Span, side_by_side,
};
use tidemark_ubuntu::launchpad::{LIMIT, Launchpad};

/// Who is counted, and the collection that counts them.
const COUNTS: [&str; 2] = ["members", "participants"];

/// People and teams in a team.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("launchpad_team_members")]
struct TeamMembers {
    /// The team's name on Launchpad.
    #[tag]
    team: String,
    /// `members`, or `participants`: the members of its teams too.
    #[tag]
    count_type: &'static str,
    /// How many there are.
    count: i64,
}

/// How many people are in Ubuntu's teams on Launchpad.
#[derive(Debug, Settings)]
pub struct Contributors {
    /// The root of Launchpad's web service.
    #[default("https://api.launchpad.net/devel/")]
    launchpad: Url,
    /// The teams, by their names on Launchpad.
    #[default([
        "motu",
        "ubuntumembers",
        "ubuntu-archive",
        "ubuntu-core-dev",
        "ubuntu-dev",
        "ubuntu-developer-members",
        "ubuntu-release",
        "ubuntu-sru",
        "ubuntu-sru-developers",
        "ubuntu-uploaders",
    ])]
    teams: Vec<String>,
}

impl Metric for Contributors {
    const NAME: &'static str = "contributors";
    const RUN_INTERVAL: Span = Span::hours(1);
    const NEEDS: Needs = Needs::NETWORK;
    const MEASUREMENTS: &'static [&'static Schema] = &[TeamMembers::SCHEMA];

    async fn collect(&self, cx: &Context) -> Result<Points, CollectorError> {
        let now = cx.now();
        let launchpad = Launchpad::new(cx, &self.launchpad);
        let teams = self.teams()?;
        let asked = teams.iter().flat_map(|team| COUNTS.map(|what| (*team, what)));
        let counts = asked.clone().map(|(team, what)| count(&launchpad, team, what));
        let mut parts = Parts::new(cx);
        for ((team, what), count) in asked.zip(side_by_side(LIMIT, counts).await) {
            parts.take(
                format_args!("{team}'s {what}"),
                count.map(|count| Points::at(now, [count])),
            );
        }
        parts.end()
    }
}

impl Contributors {
    /// The teams; one that is named twice is one.
    ///
    /// # Errors
    /// Where there is none: a mistake in the settings.
    pub fn teams(&self) -> Result<BTreeSet<&str>, CollectorError> {
        if self.teams.is_empty() {
            return Err(CollectorError::other(
                "`teams` of [collector.contributors] is empty; name a team, or leave the key out for Ubuntu's",
            ));
        }
        Ok(self.teams.iter().map(String::as_str).collect())
    }
}

/// How many there are of one kind in one team.
async fn count(
    launchpad: &Launchpad<'_>,
    team: &str,
    count_type: &'static str,
) -> Result<TeamMembers, CollectorError> {
    Ok(TeamMembers {
        team: team.to_owned(),
        count_type,
        count: launchpad.count(&format!("~{team}/{count_type}"), &[]).await?,
    })
}

#[cfg(test)]
mod tests;
