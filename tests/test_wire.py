"""The wire contract: what params it takes, and its schema."""

from __future__ import annotations

import json

import msgspec
import pytest

from rad_lsp import sources, wire
from rad_lsp.core.figures import FIGURES


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stats/session", {"sessionID": "a"}),
        ("stats/session", {"sessionId": 5}),
        ("stats/history", {"limit": 0}),
        ("stats/history", {"limit": 101}),
        ("stats/history", {"limit": "5"}),
        ("stats/history", {"offset": -1}),
        ("stats/compare", {}),
        ("stats/compare", {"sessionA": "a"}),
        ("stats/compare", {"sessionA": 5, "sessionB": "a"}),
        ("stats/cost", {"sessionId": 5}),
        ("stats/cost", {"model": "a"}),
        ("stats/budget", {"since": "7d"}),
        ("stats/export", {"format": "xml"}),
        ("stats/export", {"overwrite": "yes"}),
    ],
)
def test_params_of_the_wrong_shape_are_refused(method, params):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(params, wire.METHODS[method][0])


def test_params_have_the_contracts_defaults():
    assert msgspec.convert({"sessionB": "b"}, wire.CompareParams).session_a is None
    assert msgspec.convert({}, wire.HistoryParams) == wire.HistoryParams(limit=10, offset=0)
    assert msgspec.convert({}, wire.ExportParams) == wire.ExportParams(
        format="json", overwrite=False
    )
    for method in ("stats/session", "stats/model", "stats/engine", "stats/cost"):
        params = wire.METHODS[method][0]
        assert msgspec.convert({"workspaceUri": None, "sessionId": None}, params) == params()


def test_the_schema_has_every_method():
    found = wire.schema()
    assert list(found["requests"]) == list(wire.METHODS)
    assert list(found["notifications"]) == ["stats/status", "stats/show"]


def test_the_contract_is_as_written_down(golden):
    written = json.loads(golden("expected", "schema.json").read_bytes())
    made = json.loads(msgspec.json.encode(wire.schema()))
    assert json.dumps(made, indent=2) == json.dumps(written, indent=2)


def test_every_figure_that_is_compared_has_a_unit_of_the_contract():
    units = wire.schema()["$defs"]["ComparedMetric"]["properties"]["unit"]["enum"]
    compared = {figure.unit for figure in FIGURES if figure.better}
    assert compared - {"nanoseconds"} <= set(units)


def test_the_agents_are_told_with_where_they_keep_their_files(tmp_path):
    agents = {agent["name"]: agent for agent in wire.schema()["agents"]}
    assert list(agents) == list(sources.NAMES)
    assert agents["claude-code"]["label"] == "Claude Code"
    for name in sources.AGENTS:
        for place in agents[name]["places"]:
            variable = place["variable"]
            environ = {variable: str(tmp_path / "own")} if variable else {}
            root = tmp_path / "own" if variable else tmp_path / place["home"]
            found = sources.agent(name, environ, tmp_path).folders
            assert root / place["folder"] in found
            if place["home"] is not None:
                found = sources.agent(name, {}, tmp_path).folders
                assert tmp_path / place["home"] / place["folder"] in found
