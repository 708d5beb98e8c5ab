"""The config: what is right, and what is said of what is not."""

from typing import Any

import pytest
import yaml

from conftest import CHARM
from mistakes import Mistakes
from options import Options

CHARMCRAFT = yaml.safe_load((CHARM / "charmcraft.yaml").read_text())
DEFAULTS = {name: of["default"] for name, of in CHARMCRAFT["config"]["options"].items() if "default" in of}


def read(**options: Any) -> Options:
    return Options.read({**DEFAULTS, **options}, {})


def test_the_defaults_are_right() -> None:
    assert read() == Options(
        dry_run=False,
        collectors=None,
        settings="",
        credentials="",
        influxdb_tls=True,
        influxdb_ca="",
        influxdb_database="metrics",
        package_source="",
        package_key="",
        log_level="info",
        proxies={},
    )


@pytest.mark.parametrize(
    ("text", "collectors"),
    [
        ("host", {"host": None}),
        (" host\n sponsoring=10m ", {"host": None, "sponsoring": "10m"}),
        ("upload-queues=1h30m", {"upload-queues": "1h30m"}),
        (" ", None),
    ],
)
def test_collectors(text: str, collectors: dict[str, str | None] | None) -> None:
    assert read(collectors=text).collectors == collectors


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("collectors", "Host", "collectors: 'Host' is neither NAME nor NAME=INTERVAL"),
        ("collectors", "host=", "collectors: 'host=' is neither"),
        ("collectors", "host,sponsoring", "collectors: 'host,sponsoring' is neither"),
        ("collectors", 'host="5m"', "collectors: 'host=\"5m\"' is neither"),
        ("collectors", "host host=5m", "collectors: host is named twice"),
        ("log_level", "debug", "log_level: there is no level 'debug'; write one of error, warning, notice, info"),
        ("influxdb_ca", "abc", "influxdb_ca: it is no certificate in PEM"),
        (
            "influxdb_ca",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----",
            "influxdb_ca: there is a private key in it",
        ),
        ("influxdb_database", "", "influxdb_database: it is no name of a database"),
        ("influxdb_database", "a\nb", "influxdb_database: it is no name of a database"),
        ("package_source", "ppa:a/b", "package_source: it is no line of sources.list"),
        ("package_source", "deb [trusted=yes] https://a b c", "package_source: it is no line of sources.list"),
        ("package_source", "deb https://a b c\ndeb https://d e f", "package_source: it is no line of sources.list"),
        ("package_source", "deb https://user:pw@a b c", "package_source: there is a password in it"),
        ("package_key", "abc", "package_key: it is no public key"),
        ("package_key", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "package_key: there is a private key in it"),
        ("http_proxy", 'http://a"b', "http_proxy: it holds a blank or a quote"),
        ("no_proxy", "a, b", "no_proxy: it holds a blank or a quote"),
        ("https_proxy", "http://user:pw@proxy", "https_proxy: there is a password in it"),
        ("settings", "[host]\nstandby = false", "settings: standby is the charm's to set"),
        ("settings", '[[sink]]\npassword = "hunter2"', "settings: password is a secret, written out"),
        ("settings", '[[sink]]\nbearer_token = "hunter2"', "settings: bearer_token is a secret, written out"),
        ("settings", '[collector.x]\napi-key = ["hunter2"]', "settings: api-key is a secret, written out"),
        ("settings", '[[sink]]\nurl = "https://user:hunter2@host"', "settings: url is a secret, written out"),
        ("settings", '[collector.x]\na = { b = [{ secret = "hunter2" }] }', "settings: secret is a secret"),
    ],
)
def test_a_mistake_says_what_to_write_instead(option: str, value: str, said: str) -> None:
    with pytest.raises(Mistakes) as caught:
        read(**{option: value})
    (sentence,) = caught.value.sentences
    assert sentence.startswith(said)
    assert "; " in sentence
    assert "hunter2" not in sentence
    assert ":pw" not in sentence


@pytest.mark.parametrize(
    "settings",
    [
        '[[sink]]\ntype = "influxdb"\npassword = { credential = "tidemark.x" }\n',
        '[[sink]]\npassword = { file = "/etc/x" }\nurl = "https://host:8086/"\n',
        '[host]\ntags = { site = "north" }\n[collector.x]\nkey = 5\n',
        "[[[",
        # Python's own reader gives up on these in other ways.
        f"x = {'[' * 100_000}",
        f"x = {'9' * 5000}",
    ],
    ids=lambda text: text[:20],
)
def test_settings_without_a_secret_are_left_to_the_check(settings: str) -> None:
    assert read(settings=settings).settings == settings


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(Mistakes) as caught:
        read(collectors="A B", log_level="loud", http_proxy="a b")
    assert [sentence.split(":")[0] for sentence in caught.value.sentences] == [
        "collectors",
        "collectors",
        "log_level",
        "http_proxy",
    ]
    assert str(caught.value) == "; ".join(caught.value.sentences)


def test_the_model_s_proxy_counts_where_none_is_set() -> None:
    model = {
        "JUJU_CHARM_HTTP_PROXY": "http://user:pw@m:1",
        "JUJU_CHARM_NO_PROXY": "a,b",
        "http_proxy": "http://not-this",
    }
    assert Options.read(DEFAULTS, model).proxies == {"http_proxy": "http://user:pw@m:1", "no_proxy": "a,b"}
    own = {**DEFAULTS, "http_proxy": "http://o:1", "https_proxy": "http://o:2"}
    assert Options.read(own, model).proxies == {
        "http_proxy": "http://o:1",
        "https_proxy": "http://o:2",
        "no_proxy": "a,b",
    }
