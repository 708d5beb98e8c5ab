"""The peer of one parse: the same file from disk, read the Python way, and the same answer, a line each thing; on
standard error how much memory it took.

Usage: parse.py SOURCE FILE [NOW]    (NOW in milliseconds since the epoch)
"""

import datetime
import json
import re
import sys

RECENT = 12 * 60 * 60 * 1000
RFC_2822 = "%a, %d %b %Y %H:%M:%S %z"


def excuses_by_team(text, now):
    import yaml

    # Not the safe one: the document has objects of Python.
    for team, items in (yaml.load(text, Loader=yaml.CLoader) or {}).items():
        ages = [float(item["age"]) for item in items or [] if item.get("age") is not None]
        ages = [age for age in ages if age > 3.0]
        yield team, len(ages), sum(ages) / len(ages) if ages else 0.0


def excuses_html(text, now):
    for line in text.splitlines():
        if "Generated:" in line:
            made = " ".join(line.split(" ")[1:3])
            made = datetime.datetime.strptime(made, "%Y.%m.%d %H:%M:%S")
            yield (int(made.replace(tzinfo=datetime.timezone.utc).timestamp()),)
            return


def excuses_csv(text, now):
    import csv

    columns = ["valid candidates", "not considered", "total", "median age", "backlog"]
    for row in csv.DictReader(text.strip().splitlines()):
        try:
            time = int(row["time"])
            if time > now - RECENT:
                yield time, *[int(row[column]) for column in columns]
        except (KeyError, TypeError, ValueError):
            pass


def log(text, now):
    lines = text.splitlines()
    if lines[-1].startswith("Finished at:"):
        start = datetime.datetime.strptime(lines[0], RFC_2822)
        end = datetime.datetime.strptime(lines[-1].replace("Finished at: ", ""), RFC_2822)
        yield (int((end - start).total_seconds()) // 60,)


def rows(columns):
    def read(text, now):
        for line in text.strip().splitlines():
            parts = line.split(",")
            if len(parts) != columns + 1:
                continue
            try:
                time = int(parts[0])
                if time > now - RECENT:
                    yield time, *[int(part) for part in parts[1:]]
            except ValueError:
                pass

    return read


def summary(text, now):
    lines = re.search(r"^\* summary\n(.*?)^# Generated:\s+([^\n]+)", text, re.DOTALL | re.MULTILINE)
    made = datetime.datetime.strptime(lines[2].strip(), RFC_2822)
    counts = {}
    for line in lines[1].splitlines():
        if match := re.match(r"\s*(\d+)\s+(\S+)\s*$", line):
            counts[match[2]] = int(match[1])
    yield int(made.timestamp()), *[f"{arch}={count}" for arch, count in sorted(counts.items())]


def rls(text, now):
    teams = {}
    for bug, tasks in json.loads(text)["tasks"].items():
        for task in tasks:
            for team in task["team"] or []:
                teams.setdefault(team, set()).add(bug)
    for team, bugs in sorted(teams.items()):
        yield team, len(bugs)


def uploads(text, now):
    now = datetime.datetime.fromtimestamp(now / 1000, datetime.timezone.utc)
    ages, kinds = [], [0, 0, 0]
    for entry in json.loads(text)["entries"]:
        ages.append(now - datetime.datetime.fromisoformat(entry["date_created"]))
        for kind, key in enumerate(["contains_source", "contains_build", "contains_copy"]):
            kinds[kind] += entry[key]
    backlog = sum(age.days > 10 for age in ages)
    yield len(ages), max(ages).days, backlog, *kinds


SOURCES = {
    "update_excuses_by_team.yaml": excuses_by_team,
    "update_excuses.html": excuses_html,
    "update_excuses.csv": excuses_csv,
    "log": log,
    "nbs.csv": rows(2),
    "component-mismatches.csv": rows(4),
    "outdate.txt": summary,
    "uninst.txt": summary,
    "rls-tracking.json": rls,
    "getPackageUploads": uploads,
}


def main():
    source, path, *now = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for thing in SOURCES[source](text, int(now[0]) if now else 0):
        print(*thing)
    with open("/proc/self/status") as status:
        print(next(line for line in status if line.startswith("VmHWM:")), file=sys.stderr)


main()
