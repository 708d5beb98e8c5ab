"""The charm's config, checked: one that exists is a right one, and every mistake is found at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mistakes import Mistakes

LOG_LEVELS = ("error", "warning", "notice", "info")
PROXIES = ("http_proxy", "https_proxy", "no_proxy")

_COLLECTOR = re.compile(r"(?P<name>[a-z][a-z0-9-]*)(=(?P<interval>[0-9][0-9a-z.]*))?")
_SOURCE = re.compile(r"deb( [^\s\[\]]+){3,}")
_USERINFO = re.compile(r"://[^/\s@]*:[^/\s@]*@")
# What a line of systemd's environment files takes as it is.
_PLAIN = re.compile(r"[^\s\"'\\`$\x00-\x1f\x7f]*")
_SECRET_KEY = re.compile(r"(.*[_-])?(password|passphrase|token|secret|key)")

_INSTEAD = 'grant a secret, see the option credentials, and write { credential = "tidemark.KEY" } instead'


@dataclass(frozen=True)
class Options:
    """The config."""

    dry_run: bool
    # None for those that are on by default.
    collectors: Mapping[str, str | None] | None
    settings: str
    # The id of a secret; empty where there is none.
    credentials: str
    influxdb_tls: bool
    influxdb_ca: str
    influxdb_database: str
    # Empty where the resource is the package.
    package_source: str
    package_key: str
    log_level: str
    proxies: Mapping[str, str]

    @classmethod
    def read(cls, config: Mapping[str, Any], environment: Mapping[str, str]) -> "Options":
        """Check the config; `environment` holds the model's proxies.

        Raises:
            Mistakes: all of them.
        """
        mistakes: list[str] = []
        options = cls(
            dry_run=bool(config["dry_run"]),
            collectors=_collectors(config["collectors"], mistakes),
            settings=_settings(config["settings"], mistakes),
            credentials=str(config.get("credentials") or ""),
            influxdb_tls=bool(config["influxdb_tls"]),
            influxdb_ca=_certificate(config["influxdb_ca"], mistakes),
            influxdb_database=_database(config["influxdb_database"], mistakes),
            package_source=_source(config["package_source"], mistakes),
            package_key=_key(config["package_key"], mistakes),
            log_level=_log_level(config["log_level"], mistakes),
            proxies=_proxies(config, environment, mistakes),
        )
        if mistakes:
            raise Mistakes(*mistakes)
        return options


def _collectors(text: str, mistakes: list[str]) -> Mapping[str, str | None] | None:
    collectors: dict[str, str | None] = {}
    for word in text.split():
        found = _COLLECTOR.fullmatch(word)
        if found is None:
            mistakes.append(f"collectors: {word!r} is neither NAME nor NAME=INTERVAL; write `host sponsoring=10m`")
        elif found["name"] in collectors:
            mistakes.append(f"collectors: {found['name']} is named twice; name it once")
        else:
            collectors[found["name"]] = found["interval"]
    return collectors or None


def _settings(text: str, mistakes: list[str]) -> str:
    """Refuse what is no matter of settings. All else `tidemark check` says better, with its line."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError):
        # Python's reader passes on what it trips over itself: a number of thousands of digits, lists in lists.
        return text
    mistakes.extend(f"settings: {key} is a secret, written out; {_INSTEAD}" for key in _written_out(tables, ""))
    host = tables.get("host")
    if isinstance(host, dict) and "standby" in host:
        mistakes.append("settings: standby is the charm's to set; take it out")
    return text


def _written_out(value: Any, key: str) -> Iterator[str]:
    """Name the keys that hold a secret as it is. The value is not looked at any further, nor quoted."""
    if isinstance(value, dict):
        tables: dict[str, Any] = value
        for name, entry in tables.items():
            yield from _written_out(entry, name)
    elif isinstance(value, list):
        entries: list[Any] = value
        for entry in entries:
            yield from _written_out(entry, key)
    elif isinstance(value, str) and (_SECRET_KEY.fullmatch(key.lower()) or _USERINFO.search(value)):
        yield key


def _certificate(text: str, mistakes: list[str]) -> str:
    if not text.strip():
        return ""
    if "PRIVATE KEY" in text:
        mistakes.append("influxdb_ca: there is a private key in it; leave the certificate alone, and replace the key")
    elif "-----BEGIN CERTIFICATE-----" not in text or "-----END CERTIFICATE-----" not in text:
        mistakes.append("influxdb_ca: it is no certificate in PEM; write -----BEGIN CERTIFICATE----- and what follows")
    return text.strip() + "\n"


def _database(text: str, mistakes: list[str]) -> str:
    if not text or not text.isprintable():
        mistakes.append("influxdb_database: it is no name of a database; write one, such as metrics")
    return text


def _source(text: str, mistakes: list[str]) -> str:
    source = text.strip()
    if _USERINFO.search(source):
        mistakes.append("package_source: there is a password in it; put that into /etc/apt/auth.conf.d of the machine")
    elif source and not _SOURCE.fullmatch(source):
        mistakes.append(
            "package_source: it is no line of sources.list; write `deb https://HOST/PATH SUITE COMPONENT`, "
            "and the key into package_key"
        )
    return source


def _key(text: str, mistakes: list[str]) -> str:
    key = text.strip()
    if "PRIVATE KEY" in key:
        mistakes.append("package_key: there is a private key in it; write the public one, and replace the other")
    elif key and not key.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        mistakes.append("package_key: it is no public key; write -----BEGIN PGP PUBLIC KEY BLOCK----- and what follows")
    return key


def _log_level(text: str, mistakes: list[str]) -> str:
    if text not in LOG_LEVELS:
        mistakes.append(f"log_level: there is no level {text!r}; write one of {', '.join(LOG_LEVELS)}")
    return text


def _proxies(config: Mapping[str, Any], environment: Mapping[str, str], mistakes: list[str]) -> dict[str, str]:
    proxies: dict[str, str] = {}
    for name in PROXIES:
        own = str(config[name]).strip()
        if own and _USERINFO.search(own):
            mistakes.append(f"{name}: there is a password in it; set the model's proxy instead: juju model-config")
        value = own or environment.get(f"JUJU_CHARM_{name.upper()}", "").strip()
        if not _PLAIN.fullmatch(value):
            mistakes.append(f"{name}: it holds a blank or a quote; write addresses alone, with commas between")
        elif value:
            proxies[name] = value
    return proxies
