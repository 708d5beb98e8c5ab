"""Calls the charm's own code on this machine, as its events do: one verb a line of standard input, in JSON.

    {"do": "install", "file": PATH} | {"do": "apply", …} | {"do": "stand_by" | "take_over" | "stop"} | {"do": "remove", "purge": …}

Prints a line for each: {"changed": …}, {"refused": [mistakes]} or {"failed": why}.
"""

import json
import sys
from pathlib import Path
from typing import Any

from workload import Influxdb, Machine, RefusedError, Secret, Wanted, Workload, WorkloadError


def wanted(said: dict[str, Any]) -> Wanted:
    """Make what should be there of what a test says."""
    influxdb = said.pop("influxdb", None)
    if influxdb is not None:
        influxdb = Influxdb(**{**influxdb, "password": Secret(influxdb["password"])})
    credentials = {key: Secret(text) for key, text in said.pop("credentials", {}).items()}
    return Wanted(influxdb=influxdb, credentials=credentials, **said)


def do(workload: Workload, said: dict[str, Any]) -> bool | None:
    """Do one thing; say whether it changed anything, where that is known."""
    match said.pop("do"):
        case "install":
            return workload.package.install_file(Path(said["file"]))
        case "apply":
            return workload.apply(wanted(said))
        case "stand_by":
            return workload.stand_by()
        case "take_over":
            return workload.take_over()
        case "stop":
            workload.stop()
        case "remove":
            workload.remove(purge=said["purge"])
        case unknown:
            raise ValueError(unknown)
    return None


def main() -> None:
    """Do all that is said."""
    workload = Workload(Machine.here())
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"changed": do(workload, json.loads(line))}
        except RefusedError as error:
            answer = {"refused": error.mistakes}
        except WorkloadError as error:
            answer = {"failed": str(error)}
        print(json.dumps(answer), flush=True)


main()
