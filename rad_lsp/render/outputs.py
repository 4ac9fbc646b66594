"""What commands print as JSON: the types of their outputs, and the schema made from them.

Most outputs are answers of the wire contract as programs need them: keys in snake_case, without
texts for people, durations with `_seconds` behind their names, times in UTC. All keys are there,
with null for what is not known and false or an empty array for what the wire leaves out.
"""

from __future__ import annotations

import functools
import operator
import re
import types
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from rad_lsp import wire
from rad_lsp.core import report
from rad_lsp.core.figures import FIGURES
from rad_lsp.render import layout

_UTC: Final = Annotated[datetime, Meta(tz=True, extra_json_schema={"pattern": "Z$"})]

_DURATIONS: Final = {figure.name for figure in FIGURES if figure.unit == "nanoseconds"}
"""Fields that are seconds on the wire."""

_TEXTS: Final = {"brief", "cost_text", "last_activity_text", "markdown", "summary", "tooltip"}
"""Fields for clients that show them as they are. So is `text`, where it has a Markdown twin."""

_WITH_BRIEF: Final = {
    "label", "agent", "title", "short_id", "day", "day_label", "time_text", "resume",
}  # fmt: skip
"""Left out with `brief`: how a list for editors names a session, and the command to resume it."""

_NAMES: Final = {"model", "name", "tier"}
"""Fields that are empty where no name is known."""

_BOTH: Final = {"total_tokens": "token", "cost": "cost", "wall_time": "wall_time"}
"""Figures of which Radium has the percentage of change, too, and what it calls them."""

_RADIUM_COMPARES: Final = (
    *_BOTH,
    "agent_active_time",
    "tool_calls",
    "success_rate",
    "lines_added",
    "lines_removed",
)
_RADIUM_SECONDS: Final = ("wall_time", "agent_active_time")
"""Figures whose differences Radium has, too, in seconds with a key of its own."""


class Delta(NamedTuple):
    """A key of a comparison: the figure that it is about, and which field of its metric it has."""

    key: str
    figure: str
    field: str
    is_time: bool


def _deltas() -> list[Delta]:
    """The keys of a comparison: Radium's, in its order, and ours behind them."""
    found = []
    others = [figure.name for figure in layout.OTHERS if figure.better]
    for name in (*_RADIUM_COMPARES, *others):
        prefix = _BOTH.get(name, name)
        is_time = name in _DURATIONS
        unit = "_secs" if name in _RADIUM_SECONDS else "_seconds" if is_time else ""
        found.append(Delta(f"{prefix}_delta{unit}", name, "delta", is_time))
        if name in _BOTH:
            found.append(Delta(f"{prefix}_percentage_change", name, "percent", is_time=False))
    found += [
        Delta(f"{name}_delta_seconds", name, "delta", is_time=True) for name in _RADIUM_SECONDS
    ]
    return found


DELTAS: Final = _deltas()


def of(answer: Any) -> Any:
    """An answer of the wire, or a value within one, as output."""
    if isinstance(answer, tuple):
        return tuple(map(of, answer))
    if not isinstance(answer, Struct):
        return answer
    kind = _kind(type(answer))
    values = {name: of(getattr(answer, name)) for name in kind.type.__struct_fields__}
    return kind.type(**values | {name: values[name] or None for name in kind.optional})


def schema() -> dict[str, Any]:
    """JSON Schema of the output of each command that prints JSON."""
    commands = _commands()
    references, definitions = msgspec.json.schema_components(
        commands.values(), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What rad prints as JSON",
        "commands": dict(zip(commands, references, strict=True)),
        "$defs": definitions,
    }


def _commands() -> dict[str, Any]:
    """The type of each command's output with `--json`; of `export`, that of its JSON."""
    from rad_lsp.render import overview
    from rad_lsp.service.index import Forgotten

    stored = _report()
    session = _reported(stored, wire.SessionStats, "ReportedSession")
    summary = _reported(stored, wire.SessionSummary, "ReportedSummary")
    trend = _type(wire.TrendResult)
    return {
        "rad index forget": _array(_type(Forgotten)),
        "rad limits": _type(wire.LimitsResult),
        "rad overview": _type(overview.Answer),
        "rad session record": session,
        "rad session run": session,
        "rad stats budget": _type(wire.BudgetResult),
        "rad stats compare": _comparison(),
        "rad stats cost": _type(wire.CostResult),
        "rad stats daily": trend,
        "rad stats engine": _array(_usage("engine")),
        "rad stats export": stored | _array(stored),
        "rad stats history": _array(summary),
        "rad stats hourly": trend,
        "rad stats model": _array(_usage("model")),
        "rad stats monthly": trend,
        "rad stats session": session,
        "rad stats tools": _type(wire.ToolsResult),
        "rad stats weekly": trend,
        "rad status": _type(wire.Status),
    }


class _Kind(NamedTuple):
    """The output type of a struct of the wire, and its fields of which an empty text is null."""

    type: type[Struct]
    optional: tuple[str, ...]


@functools.cache
def _kind(source: type[Struct]) -> _Kind:
    fields = msgspec.structs.fields(source)
    left_out = _TEXTS.intersection(field.name for field in fields)
    if "markdown" in left_out:
        left_out |= {"text"}
    if "brief" in left_out:
        left_out |= _WITH_BRIEF
    kept = [field for field in fields if field.name not in left_out]
    optional = [f.name for f in kept if f.type is str and (f.name in _NAMES or f.default == "")]
    types = [(f.name, str | None if f.name in optional else _type(f.type)) for f in kept]
    keys = {field.name: _key(field) for field in kept}
    doc = _described(source.__doc__ or "", left_out)
    made = msgspec.defstruct(
        source.__name__, types, frozen=True, kw_only=True, rename=keys, namespace={"__doc__": doc}
    )
    return _Kind(made, tuple(optional))


def _key(field: msgspec.structs.FieldInfo) -> str:
    return _snake(field.encode_name) + ("_seconds" if field.name in _DURATIONS else "")


def _type(source: Any) -> Any:
    """The output type of a type on the wire."""
    if isinstance(source, type) and issubclass(source, Struct):
        return _kind(source).type
    if source is datetime:
        return _UTC
    if get_origin(source) is tuple:
        return types.GenericAlias(tuple, tuple(map(_type, get_args(source))))
    if get_origin(source) in {Union, types.UnionType}:
        return functools.reduce(operator.or_, map(_type, get_args(source)))
    return source


def _described(doc: str, left_out: set[str]) -> str:
    """A docstring with keys in snake_case, without the clauses on fields that are left out."""
    clauses = re.split(r"(?<=[.:;])\s+", " ".join(doc.split()))
    kept = [one for one in clauses if left_out.isdisjoint(re.findall(r"`(\w+)`", _snake(one)))]
    text = re.sub(r"`\w+`", lambda name: _snake(name[0]), " ".join(kept))
    return re.sub(r"[:;]$", ".", text)


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z])[A-Z]", r"_\g<0>", name).lower()


def _array(item: type[Struct]) -> Any:
    return types.GenericAlias(list, (item,))


def _report() -> Any:
    """A report as it is printed: costs that are not known are null in those of other agents."""
    bound = ("cost_is_lower_bound", bool | UnsetType, UNSET)
    usage = _with(report.Usage, [("estimated_cost", float | None)])
    usages = types.GenericAlias(dict, (str, usage))
    fields: list[Any] = [
        ("model_usage", usages),
        ("engine_usage", usages, {}),
        ("total_cost", float | None),
    ]
    metrics = _with(report.Metrics, [*fields, bound])
    return _with(report.Report, [("metrics", metrics)])


def _with(struct: type[Struct], fields: list[Any]) -> type[Struct]:
    namespace = {"__doc__": struct.__doc__}
    return msgspec.defstruct(
        struct.__name__, fields, bases=(struct,), kw_only=True, namespace=namespace
    )


def _reported(stored: type[Struct], answer: type[Struct], name: str) -> type[Struct]:
    """A report, with the keys of an answer beside its own."""
    doc = f"A report as it is stored, with our keys beside its own. {_type(answer).__doc__}"
    ours = msgspec.structs.fields(_type(answer))
    fields = [(f.encode_name, f.type) for f in ours if f.name not in stored.__struct_fields__]
    return msgspec.defstruct(
        name, fields, bases=(stored,), kw_only=True, namespace={"__doc__": doc}
    )


def _usage(kind: str) -> type[Struct]:
    """A row of usage; what follows `estimated_cost` is ours."""
    counts = [(name, int) for name in ("requests", "input_tokens", "output_tokens")]
    doc = (
        f"Usage of one {kind}, which is null where none is known. `cost` is USD, null where no "
        "price is known, and `estimated_cost` the same by the name that Radium has for it. "
        "`cost_is_lower_bound` tells that the true cost may be higher. "
    )
    last: tuple[str, Any]
    if kind == "model":
        last = ("spellings", tuple[str, ...])
        doc += "A model that requests spell in several ways has its `spellings` listed."
    else:
        last = ("sessions", tuple[str, ...] | None)
        doc += "`sessions` are the ids of those that name no engine, and null in other rows."
    fields = [
        (kind, str | None),
        *counts,
        ("cached_tokens", int),
        ("estimated_cost", float | None),
        ("cost", float | None),
        ("cost_is_lower_bound", bool),
        last,
    ]
    name = f"{kind.capitalize()}Usage"
    return msgspec.defstruct(name, fields, kw_only=True, namespace={"__doc__": doc})


def _comparison() -> type[Struct]:
    """Session B against session A; what follows `lines_removed_delta` is ours."""
    doc = (
        "Session B against session A, by their ids: signed differences, null where a value is not "
        "known, and percentages of A, null where A is 0. `cost_is_lower_bound` tells that the true "
        "cost of a session may be higher, so that the difference is that of what is known. `notes` "
        "are sentences on figures that can't be compared."
    )
    fields = [
        ("session_a", str),
        ("session_b", str),
        *((delta.key, float | None) for delta in DELTAS),
        ("cost_is_lower_bound", bool),
        ("notes", tuple[str, ...]),
    ]
    return msgspec.defstruct("Comparison", fields, kw_only=True, namespace={"__doc__": doc})
