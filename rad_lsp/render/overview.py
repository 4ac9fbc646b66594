"""The overview as text that fits a screen, and for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rad_lsp import wire
from rad_lsp.core import figures, wording
from rad_lsp.core.period import local
from rad_lsp.core.wording import NO_HISTORY, count, money, printable
from rad_lsp.render import answers, label, layout, limits
from rad_lsp.render import budget as budgets
from rad_lsp.render import markdown as marks
from rad_lsp.render.bars import LONGEST, bar
from rad_lsp.render.history import short_names
from rad_lsp.render.notes import Notes
from rad_lsp.render.table import Column, cells, cut, laid_out
from rad_lsp.render.text import below, brief, joined, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from rad_lsp.core.budget import Outlook
    from rad_lsp.core.limits import Limit
    from rad_lsp.core.money import Money
    from rad_lsp.core.session import Session
    from rad_lsp.render.label import TitleOf
    from rad_lsp.render.text import Paint
    from rad_lsp.service.overview import Overview, Share, Span, Spent

_SPANS: Final = {"day": "Today", "week": "This week", "month": "This month"}
_BEFORE: Final = "Before: as much of the day, week or month before as has passed of this one."

_NAMED: Final = 28
"""Cells of the name of a project or a model."""

_LABEL: Final = 14


class SpentAnswer(Struct, frozen=True, kw_only=True):
    """What some sessions spent; `cost` is USD, null where no price is known.

    `cost_is_lower_bound` tells that the true cost may be higher; `unpriced` requests have no known
    price.
    """

    sessions: int
    total_tokens: int
    cost: float | None
    cost_is_lower_bound: bool
    unpriced: int


class SpanAnswer(SpentAnswer, frozen=True, kw_only=True):
    """A day, week or month, and as much of the one `before` as has passed of it."""

    since: datetime | None
    until: datetime | None
    before: SpentAnswer


class SpansAnswer(Struct, frozen=True, kw_only=True):
    """The current day, week and month."""

    day: SpanAnswer
    week: SpanAnswer
    month: SpanAnswer


class ShareAnswer(Struct, frozen=True, kw_only=True):
    """What was spent on a project or a model this week; the name is null where none is known."""

    name: str
    total_tokens: int
    cost: float | None
    cost_is_lower_bound: bool
    unpriced: int


class Answer(Struct, frozen=True, kw_only=True):
    """The overview; `here` is that of the folder, null where it has no sessions of its own.

    `last_session` is the most recent one, of the folder where it has any. `attention` are sentences
    on what needs a look.
    """

    folder: str
    here: SpansAnswer | None
    all_projects: SpansAnswer
    last_session: wire.SessionSummary | None
    projects: tuple[ShareAnswer, ...]
    models: tuple[ShareAnswer, ...]
    budgets: tuple[wire.BudgetRow, ...]
    limits: tuple[wire.PlanLimit, ...]
    attention: tuple[str, ...]


def text(
    overview: Overview,
    now: datetime,
    zone: tzinfo | None,
    folder: str,
    paint: Paint = plain,
    *,
    width: int | None = None,
) -> str:
    """The overview; `folder` is the workspace that was asked about.

    `width` is the number of cells of a terminal's line, on which there are bars; None is anywhere
    else.
    """
    if overview.last is None:
        return NO_HISTORY
    whose = _whose(overview, folder)
    if width is not None:
        whose = cut(whose, width)
    table = laid_out(_columns(overview), _rows(overview), width=width)
    lines = [paint("title", whose), "", *table.lines, ""]
    shares = _shares(overview, width)
    if shares:
        lines += [*shares, ""]
    lines += _field("Last session", [_last(overview.last, now, zone)], width)
    lines += _field("Budgets", map(_budget, overview.budgets), width)
    lines += _field("Plan limits", [_limit(one, now, zone) for one in overview.limits], width)
    lines += _field("Needs a look", overview.attention, width)
    return joined([*lines, *below(_BEFORE, table.note, _uncertain(overview))])


def answer(overview: Overview, now: datetime, folder: str) -> Answer:
    """The same for programs."""
    return Answer(
        folder=folder,
        here=_answered(overview.here) if overview.here else None,
        all_projects=_answered(overview.everywhere),
        last_session=answers.summary(overview.last, now, None) if overview.last else None,
        projects=tuple(map(_share, overview.projects)),
        models=tuple(map(_share, overview.models)),
        budgets=tuple(map(answers.budget_row, overview.budgets)),
        limits=tuple(answers.plan_limit(one, now, None) for one in overview.limits),
        attention=overview.attention,
    )


def result(
    overview: Overview, now: datetime, zone: tzinfo | None, folder: str, title_of: TitleOf
) -> wire.OverviewResult:
    """The same for clients."""
    last = overview.last
    return wire.OverviewResult(
        here=tuple(map(_wired, overview.here)),
        everywhere=tuple(map(_wired, overview.everywhere)),
        last=answers.summary(last, now, zone, title_of) if last else None,
        projects=_wired_shares(overview.projects, _short_names(overview)),
        models=_wired_shares(overview.models, {}),
        budgets=tuple(map(answers.budget_row, overview.budgets)),
        limits=tuple(answers.plan_limit(one, now, zone) for one in overview.limits),
        attention=overview.attention,
        text=text(overview, now, zone, folder),
        markdown=markdown(overview, now, zone, folder, title_of),
    )


def markdown(
    overview: Overview, now: datetime, zone: tzinfo | None, folder: str, title_of: TitleOf
) -> str:
    """The same as Markdown."""
    last = overview.last
    if last is None:
        return NO_HISTORY
    header = [column.header for column in _columns(overview)]
    spans = marks.table(header, _rows(overview), "<" + ">" * (len(header) - 1))
    parts = [f"## {marks.escape(_whose(overview, folder))}", spans]
    for what, shares, names in (
        ("Project", overview.projects, _short_names(overview)),
        ("Model", overview.models, {}),
    ):
        rows = [[marks.escape(_named(one, names)), money(one.money)] for one in shares]
        if rows:
            parts.append(marks.table([f"{what}s this week", "Cost"], rows, "<>"))
    name = label.of(last, now, zone, title_of(last))
    lists = {
        "Last session": [f"{name}: {brief(last, now)}"],
        "Budgets": list(map(_budget, overview.budgets)),
        "Plan limits": [_limit(one, now, zone) for one in overview.limits],
        "Needs a look": overview.attention,
    }
    for heading, lines in lists.items():
        if lines:
            items = [f"- {marks.escape(line)}" for line in lines]
            parts.append("\n".join([f"**{heading}**", "", *items]))
    notes = "".join(map(marks.below, (_BEFORE.removesuffix("."), _uncertain(overview))))
    return "\n\n".join(parts) + "\n" + notes


def _columns(overview: Overview) -> list[Column]:
    columns = [
        Column("", "<", _LABEL - 2),
        Column("Cost", ">"),
        Column("Before", ">", gives_way=2),
        Column("Change", ">", gives_way=3),
        Column("Tokens", ">", gives_way=1),
        Column("Sessions", ">", gives_way=4),
    ]
    if not overview.here:
        return columns
    return [
        *columns,
        Column("All projects", ">"),
        Column("Before", ">", gives_way=6),
        Column("Change", ">", gives_way=5),
    ]


def _rows(overview: Overview) -> list[list[str]]:
    if not overview.here:
        return [_cells(span) for span in overview.everywhere]
    pairs = zip(overview.here, overview.everywhere, strict=True)
    return [[*_cells(own), *_cells(everywhere)[1:4]] for own, everywhere in pairs]


def _cells(span: Span) -> list[str]:
    now, before = span.now, span.before
    return [
        _SPANS[span.name],
        money(now.money),
        money(before.money),
        wording.signed_percent(_change(now, before)),
        count(now.tokens),
        count(now.sessions),
    ]


def _change(now: Spent, before: Spent) -> float | None:
    if now.money.usd is None or before.money.usd is None:
        return None
    return figures.percent_change(before.money.usd, now.money.usd)


def _shares(overview: Overview, width: int | None) -> list[str]:
    """Projects and models of the week, beside each other; with bars on a terminal."""
    projects = _listed(overview.projects, _short_names(overview), width)
    models = _listed(overview.models, {}, width)
    if not projects and not models:
        return []
    blank = [""] * (2 if width is None else 3)
    pairs = []
    for number in range(max(len(projects), len(models))):
        left = projects[number] if number < len(projects) else blank
        right = models[number] if number < len(models) else blank
        pairs.append([*left, *right])
    bars = [] if width is None else [Column("", "<", LONGEST, gives_way=2)]
    columns = [
        Column("Projects this week", "<", 18),
        Column("Cost", ">"),
        *bars,
        Column("Models this week", gives_way=1),
        Column("Cost", ">", gives_way=1),
        *bars,
    ]
    return laid_out(columns, pairs, width=width).lines


def _whose(overview: Overview, folder: str) -> str:
    return printable(folder) if overview.here else "All projects"


def _short_names(overview: Overview) -> dict[str, str]:
    return short_names({share.name for share in overview.projects})


def _named(share: Share, names: Mapping[str, str]) -> str:
    return printable(names.get(share.name, share.name)) or wording.NOT_AVAILABLE


def _listed(shares: Sequence[Share], names: dict[str, str], width: int | None) -> list[list[str]]:
    peak = max((share.money.usd or 0.0 for share in shares), default=0.0)
    found = []
    for share in shares:
        name = _named(share, names)
        drawn = [] if width is None else [bar(share.money.usd or 0.0, peak)]
        found.append([cut(name, _NAMED), money(share.money), *drawn])
    return found


def _last(session: Session, now: datetime, zone: tzinfo | None) -> str:
    moment = wording.moment(local(figures.last_activity(session), zone))
    said = [
        moment,
        money(session.money),
        wording.reading(figures.SUCCESS_RATE, session),
        wording.short_duration(session.wall_time) + layout.state(session, now),
        wording.listed(figures.model_names(session)),
        wording.short_id(session.id),
    ]
    return " · ".join(filter(None, said))


def _budget(row: Outlook) -> str:
    return f"{'⚠ ' if row.warns else ''}{budgets.summary(row)}"


def _limit(limit: Limit, now: datetime, zone: tzinfo | None) -> str:
    mark = "" if limit.runs_out_at is None else "⚠ "
    return f"{mark}{limits.summary(limit, now, zone)}"


def _field(label: str, parts: Any, width: int | None) -> list[str]:
    """A label and what it is about, on as many lines as the terminal's width needs."""
    lines = [f"{label}:".ljust(_LABEL)]
    for number, part in enumerate(parts):
        gap = "; " if number else ""
        if number and width is not None and cells(lines[-1] + gap + part) > width:
            lines.append(" " * _LABEL + part)
        else:
            lines[-1] += gap + part
    if lines == [f"{label}:".ljust(_LABEL)]:
        return []
    return lines if width is None else [cut(line, width) for line in lines]


def _uncertain(overview: Overview) -> str:
    """Why amounts are minima or not known."""
    shown: list[Money] = []
    for span in (*overview.here, *overview.everywhere):
        shown += [span.now.money, span.before.money]
    notes = Notes()
    notes.counted(max(shown, key=lambda one: one.lower_bound + one.unpriced))
    notes.shown(shown)
    return notes.line


def _answered(spans: Sequence[Span]) -> SpansAnswer:
    return SpansAnswer(**{span.name: _span(span) for span in spans})


def _span(span: Span) -> SpanAnswer:
    since, until = span.within.since, span.within.until
    return SpanAnswer(since=since, until=until, before=_spent(span.before), **_values(span.now))


def _wired(span: Span) -> wire.Span:
    change = _change(span.now, span.before)
    return wire.Span(
        name=span.name,
        label=_SPANS[span.name],
        before=wire.Spent(**_wired_values(span.before)),
        change="" if change is None else wording.signed_percent(change),
        **_wired_values(span.now),
    )


def _wired_values(spent: Spent) -> dict[str, Any]:
    return {
        "sessions": spent.sessions,
        "tokens": spent.tokens,
        "cost_text": money(spent.money),
        **_money(spent.money),
    }


def _wired_shares(shares: Sequence[Share], names: Mapping[str, str]) -> tuple[wire.Share, ...]:
    return tuple(
        wire.Share(
            name=share.name,
            label=_named(share, names),
            tokens=share.tokens,
            cost=share.money.usd,
            cost_text=money(share.money),
            cost_is_lower_bound=share.money.is_lower_bound,
        )
        for share in shares
    )


def _spent(spent: Spent) -> SpentAnswer:
    return SpentAnswer(**_values(spent))


def _values(spent: Spent) -> dict[str, Any]:
    return {"sessions": spent.sessions, "total_tokens": spent.tokens, **_money(spent.money)}


def _share(share: Share) -> ShareAnswer:
    return ShareAnswer(name=share.name, total_tokens=share.tokens, **_money(share.money))


def _money(amount: Money) -> dict[str, Any]:
    return {
        "cost": amount.usd,
        "cost_is_lower_bound": amount.is_lower_bound,
        "unpriced": amount.unpriced,
    }
