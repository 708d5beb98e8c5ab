"""The peer of one run of a collector: the same GETs, the same points, the same POST, the Python way.

Usage: peer.py COLLECTOR HOST PORT USER DATABASE SOURCE_URL...    (the password in INFLUXDB_PASSWORD)
"""

import collections
import datetime
import json
import os
import ssl
import sys
import urllib.request
import warnings

from influxdb import InfluxDBClient

warnings.simplefilter("ignore")


def sponsoring(now, entries):
    queues = {"sponsoring": []}
    for entry in entries:
        queued = datetime.datetime.strptime(entry["date_queued"], "%m/%d/%y")
        age = (now - queued).days
        queues["sponsoring"].append(age)
        for report in entry["sets"]:
            queues.setdefault(report, []).append(age)
    for report, ages in queues.items():
        fields = {"count": len(ages)}
        if ages:
            fields |= {"oldest": max(ages), "average_age": sum(ages) // len(ages)}
        yield "sponsoring_queue_stats", {"report": report}, fields


def autopkgtest(now, *documents):
    for instance, sizes, running in (("production", *documents[:2]), ("staging", *documents[2:])):
        for context, releases in sizes.items():
            for release, arches in releases.items():
                for arch, count in arches.items():
                    tags = {"context": context, "release": release, "arch": arch, "instance": instance}
                    yield "autopkgtest_queue_size", tags, {"count": count}
        counts = collections.Counter(
            (release, arch)
            for sets in running.values()
            for releases in sets.values()
            for release, arches in releases.items()
            for arch in arches
        )
        for (release, arch), count in counts.items():
            tags = {"release": release, "arch": arch, "instance": instance}
            yield "autopkgtest_running", tags, {"count": count}


def fetch(url, context):
    with urllib.request.urlopen(url, context=context) as answer:
        return json.load(answer)


def main():
    collector, host, port, user, database, *sources = sys.argv[1:]
    unverified = ssl._create_unverified_context()
    documents = [fetch(url, unverified) for url in sources]
    now = datetime.datetime.utcnow()
    points = [
        {"measurement": measurement, "tags": tags, "fields": fields, "time": now.isoformat() + "Z"}
        for measurement, tags, fields in {"sponsoring": sponsoring, "autopkgtest": autopkgtest}[collector](
            now, *documents
        )
    ]
    client = InfluxDBClient(
        host, int(port), user, os.environ["INFLUXDB_PASSWORD"], database, ssl=True, verify_ssl=False
    )
    client.write_points(points)


main()
