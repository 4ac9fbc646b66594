"""What the page draws of all sessions is what `rad report --chart` draws."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rad_lsp.core.budget import Budget
from rad_lsp.render.report import data
from rad_lsp.render.report.tables import Tables
from rad_lsp.service import report, sessions
from rad_lsp.settings import Settings

pytestmark = pytest.mark.xdist_group("page")

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CAUGHT = """
window.drawn = {};
let real;
Object.defineProperty(window, "vegaEmbed", {
  get: () => real && ((place, spec, options) => {
    drawn[spec.data.name] = { rows: spec.data.values, params: spec.params ?? [] };
    return real(place, spec, options);
  }),
  set: (library) => { real = library; },
});
"""
"""Notes what is given to Vega."""


@pytest.fixture
def asked(workspace):
    """The report of all sessions, and its time zone."""
    machine = sessions.open_machine()

    def ask():
        values = Settings(timezone="Asia/Kolkata", budget=Budget(month=3.0))
        store = sessions.open_store(
            machine, workspace.root, values.sources, values.prices, everywhere=True
        )
        store.refresh()
        read = store.ask_known(lambda _: report.read(store, workspace.root, values, NOW))
        return report.of(read, values.zone, machine.prices(values.prices)), values.zone

    yield ask
    machine.close()


@pytest.fixture
def found(asked, workspace, claude_code, codex):
    """A report of several agents, days, models and projects, and of what is not known."""
    day = "2026-{}T{}:00+00:00".format
    (
        claude_code("one", start=day("10-30", "09:20"))
        .answer(tools=["a", "b"], read=5_000, written=300)
        .result("a")
        .result("b", failed=True)
    )
    claude_code("two", start=day("10-30", "23:59")).answer(model="claude-opus-4-5-20251101")
    claude_code("three", start=day("11-02", "14:00")).answer(model="unheard-of").answer(read=70)
    claude_code("four", workspace.root / "below", start=day("11-29", "07:00")).answer(tools=["c"])
    claude_code("five", start=day("11-29", "07:00")).answer(model="__proto__")
    claude_code("six", start=day("11-28", "08:00")).answer(model="safe\u202egpj.ledom")
    codex("seven").answer().answer(read=4_000)
    workspace.add("eight", total_cost=2.5)
    return asked()


def plain(value):
    """A value that compares as it is drawn: money is whole millionths in the page."""
    return pytest.approx(value, abs=1e-6) if isinstance(value, float) else value


def test_both_make_the_same_tables(found, written, shown, names):
    made, zone = found
    window = shown(written(data.text(made, NOW, zone, "All projects")), script=CAUGHT)
    tables = Tables(made, zone)
    drawn = window.page.evaluate("drawn")
    assert set(drawn) <= set(names)
    for name in names:
        rows = drawn[name]["rows"] if name in drawn else []
        wanted = tables.of(name)
        assert len(rows) == len(wanted), name
        for row, expected in zip(rows, wanted, strict=True):
            assert {key: row[key] for key in expected} == {
                key: plain(value) for key, value in expected.items()
            }, name
        for param in drawn[name]["params"] if name in drawn else ():
            if param["name"] in tables.parameters:
                assert param["value"] == tables.parameters[param["name"]], name
    assert window.complaints() == []


@pytest.mark.parametrize("start", ["2023-01-31", "2025-12-28", "2026-08-21"])
def test_long_times_are_in_weeks_and_months_in_both(asked, claude_code, written, shown, start):
    claude_code("old", start=f"{start}T12:00:00+00:00").answer(tools=["a"]).result("a")
    claude_code("new", start="2026-11-29T12:00:00+00:00").answer()
    made, zone = asked()
    window = shown(written(data.text(made, NOW, zone, "All projects")), script=CAUGHT)
    drawn, tables = window.page.evaluate("drawn"), Tables(made, zone)
    for name in ("cost-by-day", "success-rate", "time-split"):
        ends = [(row["from"], row["to"]) for row in drawn[name]["rows"]]
        assert ends == [(row["from"], row["to"]) for row in tables.of(name)]
