"""The peer of one run of `tidemark-sponsoring`: the same GET, the same points, the same POST, the Python way.

Usage: sponsoring.py SOURCE_URL HOST PORT USER DATABASE    (the password in INFLUXDB_PASSWORD)
"""

import datetime
import json
import os
import ssl
import sys
import urllib.request
import warnings

from influxdb import InfluxDBClient

warnings.simplefilter("ignore")


def points(entries, now):
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
        yield {
            "measurement": "sponsoring_queue_stats",
            "tags": {"report": report},
            "fields": fields,
            "time": now.isoformat() + "Z",
        }


def main():
    source, host, port, user, database = sys.argv[1:]
    unverified = ssl._create_unverified_context()
    with urllib.request.urlopen(source, context=unverified) as answer:
        entries = json.load(answer)
    now = datetime.datetime.utcnow()
    client = InfluxDBClient(
        host, int(port), user, os.environ["INFLUXDB_PASSWORD"], database, ssl=True, verify_ssl=False
    )
    client.write_points(list(points(entries, now)))


main()
