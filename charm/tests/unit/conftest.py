"""What the tests share: a machine that is a folder, and a Juju that is played."""

from pathlib import Path

import pytest
from ops import testing

from charm import TidemarkCharm
from host import NOW, Host
from juju import Juju
from workload import Machine

CHARM = Path(__file__).parents[2]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Give a machine on which nothing is installed, in the place of the one that the tests run on."""
    host = Host(tmp_path / "root")
    monkeypatch.setattr(Machine, "here", host.machine)
    monkeypatch.setattr("charm.now", lambda: NOW)
    return host


@pytest.fixture
def charm_root(tmp_path: Path) -> Path:
    """Give a folder of the charm: what plays Juju writes files into it, which do not belong beside the source."""
    root = tmp_path / "charm-root"
    root.mkdir()
    (root / "src").symlink_to(CHARM / "src")
    return root


@pytest.fixture
def juju(host: Host, tmp_path: Path, charm_root: Path) -> Juju:
    """Give an application of one unit, the leader, with version 1.0.0 as its package; nothing has happened yet."""
    package = tmp_path / "tidemark.deb"
    package.write_text("tidemark 1.0.0-1")
    context = testing.Context(TidemarkCharm, charm_root=charm_root)
    state = testing.State(leader=True, resources={testing.Resource(name="tidemark-package", path=package)})
    return Juju(context, state, package)


@pytest.fixture
def deployed(juju: Juju) -> Juju:
    """Give one that is deployed."""
    juju.deploy()
    return juju
