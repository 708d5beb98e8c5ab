"""Statements of InfluxQL, over buckets of Grafana's interval.

None counts a bucket's points twice: where series are added up, it is the last value of each that is. So a second
collection within a bucket changes nothing, and buckets of a day are as right as those of five minutes.
"""

from collections.abc import Sequence

INTERVAL = "$__interval"


def chosen(tag: str) -> str:
    """Give the condition that the tag is among the values of the variable of its name."""
    return f'"{tag}" =~ /^${{{tag}:regex}}$/'


def values(measurement: str, tag: str, where: str = "") -> str:
    """Give the statement that fills the variable of the tag's name."""
    condition = f" WHERE {where}" if where else ""
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{tag}"{condition}'


def last(
    measurement: str, fields: str | Sequence[str], by: Sequence[str] = (), where: str = "", bucket: str = INTERVAL
) -> str:
    """Give the last value of each bucket. Of several fields, each is a series with the field's name."""
    return _select(measurement, _each(fields, 'last("{}")'), by, where, bucket)


def largest(measurement: str, name: str, by: Sequence[str], where: str = "", bucket: str = INTERVAL) -> str:
    """Give the largest value of each bucket."""
    return _select(measurement, f'max("{name}")', by, where, bucket)


def count(measurement: str, name: str, by: Sequence[str], where: str = "", bucket: str = INTERVAL) -> str:
    """Give how many points each bucket has."""
    return _select(measurement, f'count("{name}")', by, where, bucket)


def growth(measurement: str, name: str, by: Sequence[str], where: str = "", bucket: str = INTERVAL) -> str:
    """Give by how much a counter grew from one bucket to the next; a restart of it is left out."""
    return _select(measurement, f'non_negative_difference(last("{name}"))', by, where, bucket)


def change(measurement: str, name: str, by: Sequence[str], where: str = "", bucket: str = INTERVAL) -> str:
    """Give the last value of each bucket less the one before."""
    return _select(measurement, f'difference(last("{name}"))', by, where, bucket)


def rate(measurement: str, fields: str | Sequence[str], by: Sequence[str] = (), where: str = "") -> str:
    """Give how fast counters grow, each second; a restart of one is left out."""
    return _select(measurement, _each(fields, 'non_negative_derivative(last("{}"), 1s)'), by, where, INTERVAL)


def total(  # noqa: PLR0913
    measurement: str, name: str, of: Sequence[str], by: Sequence[str] = (), where: str = "", *, changed: bool = False
) -> str:
    """Give the sum over the series that the tags `of` tell apart, a series for each of the tags `by`; or its change."""
    each = _select(measurement, f'last("{name}") AS "{name}"', [*by, *of], where, INTERVAL)
    added = f'sum("{name}")'
    if changed:
        added = f"difference({added})"
    return _over(added, each, by)


def highest(name: str, each: str) -> str:
    """Give the largest value of each bucket among all series of a statement."""
    return _over(f'max("{name}")', each, ())


def share(measurement: str, part: str, whole: str, by: Sequence[str] = (), where: str = "") -> str:
    """Give the share of the whole that is not that part, as `used`."""
    # As a float: around another statement, a share of integers is an integer.
    return _select(measurement, f'1 - last("{part}") * 1.0 / last("{whole}") AS "used"', by, where, INTERVAL)


def _each(fields: str | Sequence[str], form: str) -> str:
    if isinstance(fields, str):
        return form.format(fields)
    return ", ".join(f'{form.format(name)} AS "{name}"' for name in fields)


def _select(measurement: str, what: str, by: Sequence[str], where: str, bucket: str) -> str:
    condition = f"{where} AND $timeFilter" if where else "$timeFilter"
    return f'SELECT {what} FROM "{measurement}" WHERE {condition} {_grouped(by, bucket)}'  # noqa: S608


def _over(what: str, each: str, by: Sequence[str]) -> str:
    return f"SELECT {what} FROM ({each}) WHERE $timeFilter {_grouped(by, INTERVAL)}"  # noqa: S608


def _grouped(by: Sequence[str], bucket: str) -> str:
    return "GROUP BY " + ", ".join([f"time({bucket})", *(f'"{tag}"' for tag in by)]) + " fill(none)"
