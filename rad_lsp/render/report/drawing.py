"""One chart as a picture, drawn without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rad_lsp.core.errors import ChartsMissing, NoSuchChart
from rad_lsp.render import label
from rad_lsp.render.report import page
from rad_lsp.render.report.bundle import VEGA_LITE
from rad_lsp.render.report.tables import Tables

if TYPE_CHECKING:
    from datetime import tzinfo

    from rad_lsp.render.label import TitleOf
    from rad_lsp.service.report import Report

Kind: TypeAlias = Literal["png", "svg"]

_WIDTH: Final = 720
_SCALE: Final = 2
"""Pixels for each unit of length."""


class Drawing:
    """Draws the chart of that name. Raises NoSuchChart, ChartsMissing."""

    def __init__(self, chart: str, kind: Kind) -> None:
        known = page.charts()
        if chart not in known:
            raise NoSuchChart(chart, known)
        try:
            import vl_convert
        except ImportError:
            raise ChartsMissing from None
        self._chart = chart
        self._kind = kind
        self._draws: Any = vl_convert

    def picture(
        self, report: Report, zone: tzinfo | None, title_of: TitleOf = label.untitled
    ) -> bytes:
        """The chart of a report's data, in light colours."""
        tables = Tables(report, zone, title_of)
        spec: dict[str, Any] = dict(page.charts()[self._chart])
        values = tables.parameters
        spec["params"] = [
            {**one, "value": values[one["name"]]} if one["name"] in values else one
            for one in spec.get("params", ())
        ]
        spec |= {
            "config": page.theme()["light"],
            "datasets": {spec["data"]["name"]: tables.of(self._chart)},
            "width": _WIDTH,
            "padding": 16,
        }
        if self._kind == "svg":
            drawn: str = self._draws.vegalite_to_svg(spec, vl_version=VEGA_LITE)
            return drawn.encode()
        return bytes(self._draws.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=_SCALE))
