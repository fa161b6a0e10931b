"""The dashboards that are shipped: made by their builder, whole, and about nothing that is not emitted."""

import json
import re
import sys
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from turnspan.telemetry import semconv

ROOT = Path(__file__).parents[1]
GRAFANA = ROOT / "integrations" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
NAMES = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
LOG_FIELDS = {name.replace(".", "_") for name in NAMES} | {"event_name", "service_name", "trace_id", "span_id"}
INTRINSICS = {"status", "duration", "name", "kind"}


def _board(path):
    return json.loads(path.read_text())


def _queries(board, source):
    return [t for panel in board["panels"] for t in panel["targets"] if t["datasource"]["type"] == source]


def test_what_is_shipped_is_what_the_builder_makes():
    """Dashboards are generated, and never edited by hand."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from generate_dashboards import built

    assert {path.name: path.read_text() for path in BOARDS} == built(), "run scripts/generate_dashboards.py"


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_panels_and_variables_fit(path):
    """Panels do not overlap, and use only variables that there are."""
    board = _board(path)
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        assert 0 <= at["x"] < at["x"] + at["w"] <= 24
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs) > 0
        assert panel["datasource"] == panel["targets"][0]["datasource"]
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    known = {variable["name"] for variable in board["templating"]["list"]}
    builtin = {"__rate_interval", "__range", "__data", "__url_time_range", "__all"}
    used = {a or b for a, b in re.findall(r"\$(?:\{(\w+)|(\w+))", path.read_text())}
    assert used <= known | builtin, used - known - builtin


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_queries_of_traces_and_logs_name_only_what_is_emitted(path):
    """No panel asks for an attribute that turnspan does not write."""
    board = _board(path)
    for target in _queries(board, "tempo"):
        named = set(re.findall(r"(?:span|link)\.([a-z][a-z0-9_.]*[a-z0-9_])", target["query"]))
        assert named <= NAMES, named - NAMES
        assert set(re.findall(r"span:(\w+)", target["query"])) <= INTRINSICS
    for target in _queries(board, "loki"):
        fields = set(re.findall(r"\b([a-z_]+)=~?\"", target["expr"]))
        assert fields <= LOG_FIELDS, fields - LOG_FIELDS


def test_links_between_the_sources_name_only_what_is_emitted():
    """Links from traces to logs and back use attributes that turnspan writes."""
    made = yaml.safe_load((GRAFANA / "provisioning/datasources/turnspan.yaml").read_text())
    sources = {source["uid"]: source for source in made["datasources"]}
    assert set(sources) == {"prom", "tempo", "loki"}
    asked = sources["tempo"]["jsonData"]["tracesToLogsV2"]["query"]
    assert re.search(r'tags\["(.+?)"\]', asked)[1] in NAMES
    for field in sources["loki"]["jsonData"]["derivedFields"]:
        assert field["matcherRegex"] in LOG_FIELDS
    boards = {_board(path)["uid"] for path in BOARDS}
    for correlation in sources["loki"]["correlations"]:
        assert correlation["config"]["field"] in LOG_FIELDS
        query = correlation["config"]["target"]["query"]
        assert set(re.findall(r"span\.([a-z][a-z0-9_.]*[a-z0-9_])", query)) <= NAMES
    linked = set(re.findall(r"/d/([\w-]+)", (GRAFANA / "provisioning/datasources/turnspan.yaml").read_text()))
    linked |= {uid for path in BOARDS for uid in re.findall(r"/d/([\w-]+)", path.read_text())}
    assert linked <= boards


def test_the_stack_for_docker_mounts_what_exists_and_listens_on_this_machine_only():
    """The compose file names existing files, and opens no port to the network."""
    folder = ROOT / "examples" / "observability"
    stack = yaml.safe_load((folder / "compose.yaml").read_text())
    for service in stack["services"].values():
        for volume in service.get("volumes", ()):
            assert (folder / volume.partition(":")[0]).exists(), volume
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    for name in ("jaeger", "tempo"):
        assert yaml.safe_load((folder / f"{name}.yaml").read_text())
