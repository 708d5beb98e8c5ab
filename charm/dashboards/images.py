"""Ubuntu's daily images."""

from grafana import INFLUXDB, Dashboard, Lines, Query, States, Variable
from influxql import change, chosen, last, values

IMAGE = ["flavor", "release", "architecture", "image_type"]
NAME = "$tag_flavor $tag_release $tag_architecture $tag_image_type"
CDIMAGE = ("The images", "https://cdimage.ubuntu.com/")


def of(kind: str) -> str:
    """Give the condition for images that are `current` or `pending`."""
    return " AND ".join([chosen("flavor"), chosen("release"), f"\"current_or_pending\" = '{kind}'"])


def ages(kind: str, title: str, description: str) -> States:
    """Give the panel of the ages, a row an image."""
    return States(
        title,
        description,
        [Query(last("daily_image_details", "age", IMAGE, of(kind)), NAME)],
        unit="d",
        every="1d",
        warn=3,
        bad=7,
        link=CDIMAGE,
        width=24,
        height=14,
    )


DASHBOARD = Dashboard(
    name="ubuntu-images",
    title="Ubuntu: images",
    description="The age and the size of the daily images of Ubuntu and its flavors. Collector: images.",
    source=INFLUXDB,
    tags=["ubuntu"],
    time="now-30d",
    variables=[
        Variable("release", "Release", values("daily_image_details", "release")),
        Variable("flavor", "Flavor", values("daily_image_details", "flavor")),
    ],
    panels=[
        Lines(
            "Size",
            "Of the current images.",
            [Query(last("daily_image_details", "size", IMAGE, of("current")), NAME)],
            unit="decbytes",
            link=CDIMAGE,
            width=24,
            height=10,
        ),
        ages(
            "pending",
            "Age of the pending images",
            "Pending are those that were built last, whether or not they passed their tests: an old one means that "
            "none is built.",
        ),
        ages(
            "current",
            "Age of the current images",
            "Current are the last that passed their tests: an old one, and a young one pending, mean that tests fail.",
        ),
        Lines(
            "Change of size",
            "Of the current images, from one day to the next.",
            [Query(change("daily_image_details", "size", IMAGE, of("current")), NAME)],
            unit="decbytes",
            every="1d",
            signed=True,
            width=24,
            height=10,
        ),
    ],
)
