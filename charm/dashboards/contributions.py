"""The people in Ubuntu's teams."""

from grafana import INFLUXDB, Bars, Dashboard, Lines, Query, Variable
from influxql import chosen, last, values

MEMBERS = [Query(last("launchpad_team_members", "count", ["team"], chosen("count_type")), "$tag_team")]

DASHBOARD = Dashboard(
    name="ubuntu-contributions",
    title="Ubuntu: contributions",
    description="How many people are in Ubuntu's teams on Launchpad. Collector: contributors.",
    source=INFLUXDB,
    tags=["ubuntu"],
    time="now-30d",
    variables=[
        Variable("count_type", "Count", values("launchpad_team_members", "count_type"), several=False),
    ],
    panels=[
        Lines(
            "Teams",
            "Members are people and teams directly in a team; participants are those in teams of it as well.",
            MEMBERS,
            every="1h",
            width=16,
            height=14,
        ),
        Bars("Teams now", "The last count of each.", MEMBERS, every="1h", width=8, height=14),
    ],
)
