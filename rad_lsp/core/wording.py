"""How figures read: durations, money, counts, percentages; `n/a` for a figure that is None."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from rad_lsp.core import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rad_lsp.core.budget import Passed
    from rad_lsp.core.cost import Savings
    from rad_lsp.core.figures import Figure, State, Unit
    from rad_lsp.core.money import Money
    from rad_lsp.core.session import Nanoseconds, Session, Usage

NOT_AVAILABLE: Final = "n/a"

AT_LEAST: Final = "≥"

NO_HISTORY: Final = "No session history found.\n"
"""The whole answer where there is no session to tell about."""

_SECOND: Final = 1_000_000_000
_SHORT_ID: Final = 26
_NAMED: Final = 10
"""How many names are listed."""

_LONGEST: Final = 1_000
"""Characters of a text from a file."""

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS: Final = frozenset({"\u200c", "\u200d"})
"""Format characters that some scripts and emoji need."""


def reading(figure: Figure, session: Session) -> str:
    """How a session's figure reads, and how far it is known: `≥ $0.1275`, `90.0% of 10 known`."""
    text = quantity(figure.value(session), figure.unit)
    if figure.is_lower_bound(session):
        text = at_least(text)
    return of_known(text, figure.known(session))


def quantity(value: float | None, unit: Unit) -> str:
    """How a value of a unit reads: `4h 9m 54s`, `$0.1275`, `92.6%`, `1,234` or `n/a`."""
    if value is None:
        return NOT_AVAILABLE
    if unit == "nanoseconds":
        return duration(int(value))
    if unit == "USD":
        return usd(value)
    return percent(value) if unit == "percent" else count(int(value))


def duration(value: Nanoseconds) -> str:
    """`4h 9m 54s`, cut to whole seconds. There is no unit above hours; zero is `0s`."""
    sign = "-" if value < 0 else ""
    seconds = abs(value) // _SECOND
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{seconds}s" if seconds else "0s"


def short_duration(value: Nanoseconds) -> str:
    """`4h 9m`: without seconds from one hour up, otherwise like `duration`."""
    if abs(value) < 3600 * _SECOND:
        return duration(value)
    return duration(value).rpartition(" ")[0]


def moment(local: datetime) -> str:
    """`2025-12-07 14:09`, of a time in the user's time zone."""
    return local.replace(tzinfo=None).isoformat(" ", "minutes")


def money(amount: Money) -> str:
    """`$0.1275` where that is all, `≥ $0.1275` where it may be more, `n/a` where none is known."""
    text = usd(amount.usd)
    return at_least(text) if amount.is_lower_bound else text


def usd(amount: float | None) -> str:
    """`$1,234.5000`, with the sign before the dollar; `n/a` for None.

    Of what something cost this tells only half: see `money`.
    """
    if amount is None:
        return NOT_AVAILABLE
    text = f"{abs(amount):,.4f}"
    return f"-${text}" if amount < 0 and float(text.replace(",", "")) else f"${text}"


def at_least(text: str) -> str:
    """A value that may be higher."""
    return f"{AT_LEAST} {text}"


def of_known(text: str, known: int | None) -> str:
    """`100.0% of 7 known`: a rate, and of how many; `known` is None where all are known."""
    return text if known is None or text == NOT_AVAILABLE else f"{text} of {known:,} known"


def rate(usd_per_million: float | None) -> str:
    """`$3.00`, `$0.175`: USD per million tokens with two to six decimals, or `n/a`."""
    if usd_per_million is None:
        return NOT_AVAILABLE
    whole, _, digits = f"{usd_per_million:,.6f}".partition(".")
    return f"${whole}.{digits.rstrip('0'):0<2}"


def count(value: int) -> str:
    """A number with thousands separators."""
    return f"{value:,}"


def counted(value: int, what: str) -> str:
    """`1 file`, `4 files`."""
    return f"{value:,} {what}{'' if value == 1 else 's'}"


def percent(value: float | None) -> str:
    """`92.6%`, or `n/a`."""
    if value is None:
        return NOT_AVAILABLE
    text = f"{value:.1f}"
    return f"{'0.0' if text == '-0.0' else text}%"


def signed_percent(value: float | None) -> str:
    """`+2.6%`, `0.0%`, or `n/a`."""
    text = percent(value)
    return text if value is None or text.startswith(("-", "0.0%")) else f"+{text}"


def signed(text: str) -> str:
    """A printed number with its sign; zero prints as `0`, or `0s` for a duration."""
    if text.startswith("-"):
        return signed(text[1:]).replace("+", "-")
    if not text.strip("0.,s"):
        return text if text.endswith("s") else "0"
    return f"+{text}"


def changes(added: int, removed: int, files: int | None = None) -> str:
    """`+505 -208 (4 files)`: lines added and removed, and the number of files if it is known."""
    minus = f"-{removed}" if removed >= 0 else f"+{-removed}"
    of = "" if files is None else f" ({counted(files, 'file')})"
    return f"{added:+} {minus}{of}"


def unpriced(models: Iterable[Usage]) -> str | None:
    """A sentence about the requests whose price is unknown, or None when there are none."""
    left_out = [usage for usage in models if usage.money.unpriced]
    if not left_out:
        return None
    requests = counted(sum(usage.money.unpriced for usage in left_out), "request")
    names = listed([usage.name for usage in left_out])
    return f"No price is known for {requests} to {names}: not in the cost"


def only_elsewhere(sessions: int) -> str:
    """What is said where a folder has no sessions, but others have."""
    there = f"There {'is' if sessions == 1 else 'are'} {counted(sessions, 'session')}"
    return f"No sessions in this folder. {there} {advice.LOOK_ELSEWHERE}"


def engineless(session_ids: Sequence[str]) -> str | None:
    """A sentence that names the sessions without an engine, or None when there are none."""
    if not session_ids:
        return None
    sessions = "1 session names" if len(session_ids) == 1 else f"{len(session_ids):,} sessions name"
    return f"{sessions} no engine: {listed(session_ids)}"


def saved(savings: Savings) -> str:
    """What the cache saved, and the models for which that is unknown: `$0.0306 (without a)`."""
    if savings.usd is None or not savings.left_out:
        return usd(savings.usd)
    return f"{usd(savings.usd)} (without {listed(savings.left_out)})"


def passed(budget: Passed) -> str:
    """`80% of the day's budget of $20.0000 is passed: $16.4000`."""
    whole = budget.threshold == 100  # noqa: PLR2004  (percent)
    share = "The" if whole else f"{budget.threshold:g}% of the"
    whose = f" for {printable(budget.project)}" if budget.project else ""
    limit = usd(budget.limit)
    return f"{share} {budget.name}'s budget of {limit}{whose} is passed: {money(budget.spent)}"


def state(name: State, *, deleted: bool = False) -> str:
    """What follows the wall time of a session that has not ended, or whose transcript is gone.

    `deleted` tells the latter. It is empty for all others.
    """
    said = [{"ended": "", "running": "running", "interrupted": "no end recorded"}[name]]
    said += ["deleted"] * deleted
    words = ", ".join(filter(None, said))
    return f" ({words})" if words else ""


def short_id(session_id: str) -> str:
    """The id if it has up to 26 characters, else its first 23 and `...`."""
    text = printable(session_id)
    return text if len(text) <= _SHORT_ID else f"{text[: _SHORT_ID - 3]}..."


def listed(names: Sequence[str]) -> str:
    """Names from a file: the first ten, and how many more there are."""
    more = len(names) - _NAMED
    shown = ", ".join(map(printable, names[:_NAMED]))
    return f"{shown} and {more:,} more" if more > 0 else shown


def printable(text: str) -> str:
    """Text from a file as it may be shown: on one line, and cut where it is very long.

    Control and invisible characters are escaped. Printed as they are, they could change the
    terminal's state or hide text.
    """
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(character) if is_hidden(character) else character for character in text)


def is_hidden(character: str) -> bool:
    """Whether a character controls a terminal, or can't be seen."""
    return unicodedata.category(character) in _ESCAPED and character not in _JOINERS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
