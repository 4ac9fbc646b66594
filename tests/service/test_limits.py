"""Plan limits: what Claude Code's status line tells is kept, and counts beside the transcripts."""

from __future__ import annotations

import os
import stat
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp import settings
from rad_lsp.service import index, limits, sessions

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RESETS = int(NOON.timestamp()) + 3 * 3600


def minutes(number):
    return timedelta(minutes=number)


def told(used, resets=RESETS, **more):
    return {"five_hour": {"used_percentage": used, "resets_at": resets}, **more}


@pytest.fixture
def folder():
    return settings.data_folder() / "limits"


@pytest.fixture
def machine():
    machine = sessions.open_machine()
    yield machine
    machine.close()


@pytest.fixture
def shown(machine):
    """State and percent of each window."""

    def at(now):
        return {
            limit.window.name: (limit.state, limit.used_percent)
            for limit in limits.overview(machine, now, {}).limits
        }

    return at


def test_what_the_status_line_tells_is_kept_until_the_window_is_reset(shown):
    limits.keep(told(40), "a", NOON)
    assert shown(NOON + minutes(1)) == {"5h": ("current", 40)}
    assert shown(NOON + minutes(180)) == {"5h": ("reset", None)}


def test_the_newest_of_several_sessions_counts(shown):
    limits.keep(told(40), "a", NOON)
    limits.keep(told(45), "b", NOON + minutes(1))
    assert shown(NOON + minutes(2)) == {"5h": ("current", 45)}


def test_an_idle_session_that_repeats_itself_hides_nothing(shown):
    limits.keep(told(40), "idle", NOON)
    limits.keep(told(45), "busy", NOON + minutes(1))
    limits.keep(told(40), "idle", NOON + minutes(2))
    assert shown(NOON + minutes(3)) == {"5h": ("current", 45)}


def test_what_repeats_itself_is_not_written_again(folder):
    limits.keep(told(40), "a", NOON)
    (file,) = folder.iterdir()
    before = file.stat()
    limits.keep(told(40), "a", NOON + minutes(1))
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_window_that_is_not_told_keeps_its_record(shown):
    limits.keep({**told(40), "seven_day": {"used_percentage": 7, "resets_at": RESETS}}, "a", NOON)
    limits.keep(told(41, seven_day=None), "a", NOON + minutes(1))
    assert shown(NOON + minutes(2)) == {"5h": ("current", 41), "week": ("current", 7)}


@pytest.mark.parametrize(
    "used", [101, -1, "40", None, [], {"x": 1}, float("nan"), float("inf"), True]
)
def test_a_percent_that_can_not_be_read_is_ignored_with_its_reason(machine, shown, used):
    limits.keep(told(40), "a", NOON)
    limits.keep(told(used), "a", NOON + minutes(1))
    assert shown(NOON + minutes(2)) == {}
    (reason,) = limits.overview(machine, NOON, {}).ignored
    assert reason.startswith("claude-code 5h: ")


@pytest.mark.parametrize(
    "hostile", ["all", 3, [], {"five_hour": 3}, {"\ud800": {}}, {"x" * 999: 1}]
)
def test_another_form_is_ignored(machine, shown, hostile):
    limits.keep(hostile, "a", NOON)
    assert shown(NOON) == {}
    assert limits.status(machine, NOON) == ()


def test_many_windows_take_little_room(folder):
    one = {"used_percentage": 1}
    limits.keep({f"{number}" * 1000: one for number in range(9999)}, "a", NOON)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 10_000


@pytest.mark.parametrize("resets", [10**15, -(10**15), "never", "9999-12-31T00:00:00Z"])
def test_a_reset_that_can_not_be_true_shows_no_percent(shown, resets):
    limits.keep(told(40, resets), "a", NOON)
    assert shown(NOON)["5h"] in {("unknown", None), ("reset", None)}


def test_after_a_clock_was_wrong_the_true_record_counts(machine, shown):
    limits.keep(told(90), "a", NOON + timedelta(days=400))
    limits.keep(told(90), "b", NOON + timedelta(days=400))
    limits.keep(told(40), "a", NOON)
    assert shown(NOON) == {"5h": ("current", 40)}
    assert any("dated after now" in one for one in limits.overview(machine, NOON, {}).ignored)


@pytest.mark.parametrize("session_id", ["", "../a", "a/b", ".", "a\0", "x" * 101, "ü"])
def test_an_id_that_is_no_name_of_a_file_writes_none(folder, session_id):
    limits.keep(told(40), session_id, NOON)
    assert not folder.exists()


def test_what_is_damaged_is_as_good_as_gone(folder, shown):
    folder.mkdir(parents=True)
    for number, damaged in enumerate((b"", b"{", b"[]", b'{"5h":[1]}', b"\xff" * 100_000)):
        (folder / f"{number}.json").write_bytes(damaged)
    (folder / "folder.json").mkdir()
    assert shown(NOON) == {}
    limits.keep(told(40), "0", NOON)
    assert shown(NOON) == {"5h": ("current", 40)}


def test_a_folder_that_can_not_be_made_is_no_failure(folder):
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    limits.keep(told(40), "a", NOON)


def test_the_files_of_old_sessions_go(folder):
    for number in range(60):
        limits.keep(told(number), f"s{number}", NOON)
    assert len(list(folder.iterdir())) == 50
    old = folder / "s59.json"
    os.utime(old, (0, 0))
    limits.keep(told(1), "new", NOON)
    assert not old.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_only_the_user_may_read_it(folder):
    limits.keep(told(40), "a", NOON)
    (file,) = folder.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, file)] == [0o700, 0o600]


def test_a_rebuild_of_the_index_keeps_it(machine, shown):
    limits.keep(told(40), "a", NOON)
    index.rebuild(machine)
    assert shown(NOON) == {"5h": ("current", 40)}


def test_without_a_record_the_running_block_is_estimated(machine, claude_code):
    claude_code("a", start="2026-03-02T12:40:00+00:00").answer().answer()
    claude_code("b", "/elsewhere", start="2026-03-02T13:00:00+00:00").answer()
    claude_code("before", start="2026-03-01T12:40:00+00:00").answer()
    (block,) = limits.overview(machine, NOON + minutes(90), {}).blocks
    assert (block.source, block.since, block.until) == (
        "claude-code", NOON, NOON + minutes(300),
    )  # fmt: skip
    assert (block.requests, block.tokens.input, block.tokens.output) == (3, 3000, 300)
    assert block.money.usd == pytest.approx(3 * 0.0045)


def test_with_a_current_limit_nothing_is_estimated(machine, claude_code):
    claude_code("a", start="2026-03-02T12:40:00+00:00").answer()
    limits.keep(told(40), "a", NOON + minutes(41))
    overview = limits.overview(machine, NOON + minutes(90), {})
    assert (overview.blocks, overview.idle) == ((), ())
    later = limits.overview(machine, NOON + minutes(200), {})
    assert [block.source for block in later.blocks] == ["claude-code"]


def test_a_source_that_rests_is_named(machine, claude_code):
    claude_code("a", start="2026-03-02T12:40:00+00:00").answer()
    overview = limits.overview(machine, NOON + minutes(301), {})
    assert (overview.limits, overview.blocks, overview.idle) == ((), (), ("claude-code",))


def test_only_the_named_sources_count(machine, claude_code):
    claude_code("a", start="2026-03-02T12:40:00+00:00").answer()
    limits.keep(told(40), "a", NOON)
    overview = limits.overview(machine, NOON, {}, ["codex", "radium"])
    assert (overview.limits, overview.blocks, overview.idle) == ((), (), ())
