"""The peer of the generator: systemd's units for each collector of a package, the Python way.

Usage: generator.py FOLDER OUT PACKAGE...

FOLDER holds the packages. Each module of each is a collector: it is imported, all in this one interpreter, and asked for its
interval; then its service and its timer are written, and the link by which the target wants it.
"""

import importlib
import os
import pkgutil
import sys

SERVICE = """\
[Unit]
Description=Metrics collector {name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 -m {package}.{name}
EnvironmentFile=-/etc/default/metrics
TimeoutStartSec=10m
DynamicUser=yes
NoNewPrivileges=yes
PrivateMounts=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictRealtime=yes
RestrictSUIDSGID=yes
"""

TIMER = """\
[Unit]
Description=Metrics collector {name}, every {interval}

[Timer]
OnBootSec=30s
OnUnitInactiveSec={interval}
RandomizedDelaySec=1m
FixedRandomDelay=yes
"""


def main():
    folder, out, *packages = sys.argv[1:]
    sys.path.insert(0, folder)
    wants = os.path.join(out, "timers.target.wants")
    os.mkdir(wants)
    for package in packages:
        modules = pkgutil.iter_modules([os.path.join(folder, package)])
        for name in sorted(module.name for module in modules if module.name.startswith("c")):
            interval = importlib.import_module(f"{package}.{name}").Metric.RUN_INTERVAL
            unit = f"metrics-{name}"
            with open(os.path.join(out, f"{unit}.service"), "w") as file:
                file.write(SERVICE.format(package=package, name=name))
            with open(os.path.join(out, f"{unit}.timer"), "w") as file:
                file.write(TIMER.format(name=name, interval=interval))
            os.symlink(f"../{unit}.timer", os.path.join(wants, f"{unit}.timer"))


main()
