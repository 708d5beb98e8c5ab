//! How many bug tasks wait for the team: two counts of Launchpad.

use tidemark_collect::http::Url;
use tidemark_collect::{CollectorError, Measurement};
use tidemark_ubuntu::below;
use tidemark_ubuntu::launchpad::Launchpad;

/// Bug tasks that wait for the team.
#[derive(Debug, PartialEq, Measurement)]
#[measurement("ubuntu_archive_bugs")]
pub(crate) struct Bugs {
    /// `subscribed`: the team is subscribed to the bug; `assigned`: the task is the team's.
    #[tag]
    #[name("type")]
    relation: &'static str,
    /// Open tasks.
    count: i64,
}

/// What the team has to do with a bug.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Relation {
    Subscribed,
    Assigned,
}

impl Relation {
    pub(crate) const ALL: [Self; 2] = [Self::Subscribed, Self::Assigned];

    /// The tag's value.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Assigned => "assigned",
        }
    }

    fn parameter(self) -> &'static str {
        match self {
            Self::Subscribed => "bug_subscriber",
            Self::Assigned => "assignee",
        }
    }

    /// Asks Launchpad at `root` for the number of the team's tasks.
    pub(crate) async fn count(
        self,
        launchpad: &Launchpad<'_>,
        root: &Url,
        team: &str,
    ) -> Result<Bugs, CollectorError> {
        let path = format!("~{team}");
        // A person is named by its address.
        let mut person = below(root, &path);
        person.set_query(None);
        let query = [("ws.op", "searchTasks"), (self.parameter(), person.as_str())];
        Ok(Bugs {
            relation: self.as_str(),
            count: launchpad.count(&path, &query).await?,
        })
    }
}
