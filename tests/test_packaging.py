"""What is published, and what contributors install: complete, and nothing that only this checkout can follow."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements/dev.txt").read_text()
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def wanted():
    """Each requirement that pyproject.toml names, for users and for contributors."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    lines = [*PYPROJECT["build-system"]["requires"], *project["dependencies"]]
    for more in [*project["optional-dependencies"].values(), *groups.values()]:
        lines += [line for line in more if isinstance(line, str)]
    return [one for line in lines if (one := Requirement(line)).name != "turnspan"]


def locked(python):
    """The versions that the lock has for a Python, by name."""
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.6"}
    pins = [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if re.match(r"[a-z0-9]", line)]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_what_is_required(python):
    """`make lock` was run after the last change of a requirement, and every supported Python is served."""
    pins = locked(python)
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.6"}
    for one in wanted():
        if one.marker is None or one.marker.evaluate(environment):
            assert one.name.lower() in pins, f"{one} is not in requirements/dev.txt: run `make lock`"
            assert one.specifier.contains(pins[one.name.lower()], prereleases=True), f"{one}: run `make lock`"


def test_the_lock_names_versions_and_hashes_only():
    """No registry's address and no path: a contributor's pip decides where packages come from."""
    assert "://" not in LOCK
    assert " @ " not in LOCK
    for entry in re.split(r"\n(?=[a-z0-9])", LOCK.strip()):
        assert "==" in entry.splitlines()[0]
        assert "--hash=sha256:" in entry


@pytest.fixture(scope="module")
def metadata():
    """The metadata as a package index would get it."""
    done = subprocess.run([sys.executable, "-m", "hatchling", "metadata"], cwd=ROOT, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_the_package_says_who_where_and_for_what(metadata):
    """Author, addresses and each supported Python are in the metadata, and no development tool is an extra."""
    assert metadata["authors"] == [{"name": "turnspan contributors"}]
    assert {"Homepage", "Documentation", "Source", "Changelog", "Issues"} == set(metadata["urls"])
    versions = [name.rpartition(" ")[2] for name in metadata["classifiers"] if "Python :: 3." in name]
    assert versions == PYTHONS
    assert sorted(metadata["optional-dependencies"]) == [
        "all",
        "mysql",
        "otlp",
        "postgresql",
        "prices",
        "redis",
        "serve",
        "sign",
        "view",
    ]


def test_links_and_pictures_of_the_readme_work_on_the_package_index(metadata):
    """Each link is absolute or within the page, and what it names is in the checkout."""
    text = metadata["readme"]["text"]
    links = re.findall(r"\]\(([^)]+)\)|<img[^>]* src=\"([^\"]+)\"", text)
    own = re.compile(
        r"https://(?:github\.com/turnspan/turnspan/blob|raw\.githubusercontent\.com/turnspan/turnspan)/main/"
    )
    named = 0
    for link in (one or other for one, other in links):
        assert link.startswith(("https://", "http://", "mailto:", "#")), link
        if found := own.match(link):
            named += 1
            path = link[found.end() :].partition("#")[0]
            assert (ROOT / path).exists(), f"README names {path}, which is not there"
            assert link.endswith((".png", ".svg", ".gif", ".jpg")) == ("raw." in link), link
    assert named > 0


def test_the_command_line_is_a_module_too():
    """`python -m turnspan` works where scripts are not on the path."""
    done = subprocess.run([sys.executable, "-m", "turnspan", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("turnspan, version ")
