"""charmcraft.yaml declares what the code uses, and nothing else; Terraform knows the same keys."""

import ast
import os
import re
import time
from importlib import metadata
from pathlib import Path

import hcl2
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import actions
import cos
import influxdb
import options
import peers
from charm import PACKAGE, now
from conftest import CHARM

CHARMCRAFT = yaml.safe_load((CHARM / "charmcraft.yaml").read_text())
TERRAFORM = CHARM / "terraform"


def test_every_option_is_read_and_every_read_one_is_declared() -> None:
    tree = ast.parse(Path(options.__file__).read_text()), ast.parse((CHARM / "src/charm.py").read_text())
    read = set(options.PROXIES)
    for node in (node for one in tree for node in ast.walk(one)):
        match node:
            case ast.Subscript(ast.Name("config") | ast.Attribute(attr="config"), ast.Constant(str(name))):
                read.add(name)
            case ast.Call(ast.Attribute(ast.Name("config"), "get"), [ast.Constant(str(name)), *_]):
                read.add(name)
            case _:
                pass
    assert read == set(CHARMCRAFT["config"]["options"])


def test_every_relation_resource_and_action_is_the_code_s() -> None:
    declared = {**CHARMCRAFT["requires"], **CHARMCRAFT["provides"], **CHARMCRAFT["peers"]}
    assert set(declared) == {influxdb.RELATION, cos.RELATION, peers.RELATION}
    assert set(CHARMCRAFT["resources"]) == {PACKAGE}
    source = Path(actions.__file__).read_text()
    assert {name for name in CHARMCRAFT["actions"] if f"on.{name}_action" in source} == set(CHARMCRAFT["actions"])
    assert source.count("_action,") == len(CHARMCRAFT["actions"])


def test_every_parameter_of_an_action_is_read() -> None:
    tree = ast.parse(Path(actions.__file__).read_text())
    read = set()
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(ast.Attribute(attr="params"), ast.Constant(str(name))):
                read.add(name)
            case ast.Call(ast.Attribute(ast.Attribute(attr="params"), "get"), [ast.Constant(str(name)), *_]):
                read.add(name)
            case _:
                pass
    assert read == {name for action in CHARMCRAFT["actions"].values() for name in action.get("params", {})}


@pytest.mark.parametrize("files", [("requirements.txt",), ("requirements.txt", "requirements-test.txt")])
def test_the_requirements_pin_all_that_these_need(files: tuple[str, ...]) -> None:
    lines = [line for file in files for line in (CHARM / file).read_text().splitlines() if not line.startswith("#")]
    pinned = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines}
    assert all(pinned.values())
    # On the machine: Ubuntu 24.04's.
    machine = {"python_version": "3.12", "python_full_version": "3.12.3", "extra": ""}
    for name, version in pinned.items():
        assert metadata.version(name) == version
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate(machine):
                assert canonicalize_name(needed.name) in pinned, f"{name} needs {text}"


@pytest.mark.parametrize("kind", ["options", "actions"])
def test_everything_says_what_it_is_for(kind: str) -> None:
    of = CHARMCRAFT["config"]["options"] if kind == "options" else CHARMCRAFT["actions"]
    assert all(one["description"].strip().endswith((".", "info")) for one in of.values())


def test_what_dispatches_can_be_run() -> None:
    assert os.access(CHARM / "src/charm.py", os.X_OK)


def test_the_charm_s_clock_is_the_machine_s() -> None:
    assert abs(now().timestamp() - time.time()) < 60


def test_the_readme_has_every_option_and_every_action() -> None:
    text = (CHARM / "README.md").read_text()
    for name in (*CHARMCRAFT["config"]["options"], *(f"leader {action}" for action in CHARMCRAFT["actions"])):
        assert re.search(rf"\b{name}\b", text), name
    for name in (*CHARMCRAFT["requires"], *CHARMCRAFT["provides"], *CHARMCRAFT["resources"]):
        assert name in text


def blocks(file: Path, kind: str) -> dict[str, dict[str, object]]:
    """Give the blocks of a kind by their last label."""
    with file.open() as text:
        parsed = hcl2.load(text)
    return {_plain(name): body for block in parsed.get(kind, []) for name, body in _innermost(block)}


def _innermost(block: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
    found = []
    for name, body in block.items():
        if isinstance(body, dict) and len(body) == 1 and all(isinstance(one, dict) for one in body.values()):
            found.extend(_innermost(body))
        elif isinstance(body, dict):
            found.append((name, body))
    return found


def _plain(text: str) -> str:
    return text.strip('"')


def test_terraform_s_variables_are_the_charm_s() -> None:
    variables = blocks(TERRAFORM / "variables.tf", "variable")
    text = (TERRAFORM / "variables.tf").read_text()
    described = yaml.safe_dump(sorted(variables))
    assert {"model_uuid", "app_name", "channel", "revision", "base", "units", "config", "resources"} <= set(
        variables
    ), described
    # The keys that a plan may set are checked by the module itself: the lists are those of the charm.
    assert _list_in(text, "config") == sorted(CHARMCRAFT["config"]["options"])
    assert _list_in(text, "resources") == sorted(CHARMCRAFT["resources"])


def _list_in(text: str, variable: str) -> list[str]:
    """Give the keys that the validation of a variable lists."""
    body = text.split(f'variable "{variable}"')[1].split("\nvariable ", maxsplit=1)[0]
    listed = body.split("setsubtract(keys(var.")[1].split("[")[1].split("]")[0]
    return sorted(_plain(word.strip()) for word in listed.split(",") if word.strip())


def test_terraform_s_outputs_are_the_charm_s_endpoints() -> None:
    outputs = (TERRAFORM / "outputs.tf").read_text()
    for kind in ("requires", "provides"):
        of = outputs.split(f'output "{kind}"')[1].split("\noutput ")[0]
        named = {_plain(line.split("=")[1].strip()) for line in of.splitlines() if line.startswith("    ")}
        assert named == set(CHARMCRAFT[kind])


def test_the_module_and_its_example_parse_and_fit_each_other() -> None:
    variables = set(blocks(TERRAFORM / "variables.tf", "variable"))
    example = TERRAFORM / "examples/influxdb/main.tf"
    with example.open() as text:
        parsed = hcl2.load(text)
    (module,) = [body for block in parsed["module"] for name, body in block.items() if _plain(name) == "tidemark"]
    given = {name for name in module if not name.startswith("__")} - {"source"}
    assert given <= variables
    assert _plain(module["source"]) == "../.."
    config = module["config"]
    assert {_plain(name) for name in config if not name.startswith("__")} <= set(CHARMCRAFT["config"]["options"])
    text_of = example.read_text()
    assert "module.tidemark.requires.influxdb" in text_of
    base = (TERRAFORM / "variables.tf").read_text().split('variable "base"')[1].split("default")[1].split('"')[1]
    assert any(platform.startswith(f"{base}:") for platform in CHARMCRAFT["platforms"])
    assert _plain(blocks(TERRAFORM / "main.tf", "resource")["tidemark"]["name"].__str__()) == "${var.app_name}"


def test_no_file_of_terraform_has_a_secret_s_value() -> None:
    for file in TERRAFORM.rglob("*.tf"):
        for line in file.read_text().splitlines():
            name, _, value = line.partition("=")
            if re.fullmatch("[a-z0-9_ -]*(password|token|secret)", name.strip()) and "credential = " not in value:
                assert "var." in value, f"{file.name}: {line}"
