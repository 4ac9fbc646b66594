"""The sessions of other agents in a workspace, and those that ran as part of a tracked one."""

from __future__ import annotations

import hashlib
import os
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rad_lsp import service
from rad_lsp.core.period import ALWAYS, today
from rad_lsp.core.price import Override
from rad_lsp.store.query import Selection
from rad_lsp.store.store import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DELETED = "The transcript has been deleted; these are its last figures"
ONE = {"m": Override(1.0, 1.0)}
"""A price of one USD per million tokens."""


@pytest.fixture
def project(tmp_path):
    """A folder that agents work in."""
    folder = tmp_path / "w" / "proj"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store(machine, project):
    """The sessions of the project, or of another folder."""

    def made(folder=project, names=None, overrides=ONE, **more):
        return Store(machine(), folder, names, overrides, **more)

    return made


@pytest.fixture
def at_work(home, claude):
    """A session of Claude Code in a folder, of some requests."""

    def made(name, folder, *numbers):
        cwd = str(folder)
        numbers = numbers or (zlib.crc32(name.encode()) % 10**6,)
        return home.claude(name, *claude.answers(*numbers, session=name, cwd=cwd))

    return made


def gemini_message(number):
    """An answer of Gemini CLI, with a tool call."""
    moment = (NOON + timedelta(seconds=number)).isoformat()
    return {
        "id": str(number),
        "type": "gemini",
        "timestamp": moment,
        "model": "m",
        "tokens": {"input": 100, "output": 10, "cached": 0, "thoughts": 0, "tool": 0},
        "toolCalls": [{"id": "t", "name": "x", "status": "success", "timestamp": moment}],
    }


def ids(snapshot):
    return sorted(entry.id for entry in snapshot.entries)


class TestWorkspaces:
    def test_sessions_in_a_folder_or_below_it_count(self, store, at_work, project):
        at_work("here", project)
        at_work("below", project / "src" / "deep")
        at_work("sibling", project.with_name("proj2"))
        at_work("above", project.parent)
        assert ids(store().refresh()) == ["below", "here"]

    def test_so_do_those_in_other_worktrees_of_the_repository(
        self, store, at_work, project, tmp_path, git
    ):
        other = tmp_path / "other"
        git(project, "init")
        git(project, "commit", "--allow-empty", "-m", "x")
        git(project, "worktree", "add", other)
        for folder in (project, other):
            (folder / "src").mkdir()
        at_work("main", project)
        at_work("main-src", project / "src")
        at_work("linked", other)
        at_work("linked-src", other / "src")
        at_work("elsewhere", tmp_path / "other2")
        everything = ["linked", "linked-src", "main", "main-src"]
        assert ids(store(project).refresh()) == everything
        assert ids(store(other).refresh()) == everything
        assert ids(store(project / "src").refresh()) == ["linked-src", "main-src"]
        assert ids(store(other / "src").refresh()) == ["linked-src", "main-src"]

    def test_a_folder_may_be_known_by_its_hash_only(self, store, home, project):
        hashed = hashlib.sha256(str(project).encode()).hexdigest()
        for folder, name in ((hashed, "g1"), (hashed[::-1], "g2")):
            path = home.root / ".gemini" / "tmp" / folder / "chats" / f"session-{name}.json"
            described = {"sessionId": name, "projectHash": folder}
            home.write(path, {**described, "messages": [gemini_message(1)]})
        (entry,) = store().refresh().entries
        assert (entry.id, entry.source, entry.session.cost) == (
            "g1",
            "gemini-cli",
            pytest.approx(110e-6),
        )

    def test_a_link_to_a_folder_is_that_folder(self, store, at_work, project, tmp_path):
        link = tmp_path / "link"
        link.symlink_to(project)
        at_work("real", project)
        at_work("called", link)
        assert ids(store(link).refresh()) == ["called", "real"]

    def test_a_folder_need_not_have_a_name_in_unicode(self, store, at_work, tmp_path):
        folder = tmp_path / os.fsdecode(b"\xff")
        folder.mkdir()
        at_work("there", str(tmp_path / "\N{REPLACEMENT CHARACTER}"))
        assert ids(store(folder).refresh()) == ["there"]

    def test_sources_may_be_chosen(self, store, at_work, home, codex, project, workspace):
        at_work("claude", project)
        lines = [codex.meta("codex", cwd=str(project)), codex.turn(), codex.tokens(1, 9, 1)]
        home.codex("codex", *lines)
        assert ids(store().refresh()) == ["claude", "codex"]
        assert ids(store(names=["codex"]).refresh()) == ["codex"]
        assert ids(store(names=["radium"]).refresh()) == []
        workspace.add("r")
        assert ids(store(workspace.root).refresh()) == ["r"]
        assert ids(store(workspace.root, names=["codex"]).refresh()) == []

    def test_all_folders_may_count(self, store, at_work, project, workspace):
        at_work("a", project)
        at_work("b", "/elsewhere")
        workspace.add("r")
        assert ids(store(workspace.root, everywhere=True).refresh()) == ["a", "b", "r"]
        found = store(workspace.root, names=["claude-code"], everywhere=True)
        assert ids(found.refresh()) == ["a", "b"]

    def test_what_can_not_be_read_shows_where_all_folders_count(self, store, home, claude, project):
        path = home.root / ".claude" / "projects" / "x.jsonl"
        home.write(path, claude.answer(1, cwd=str(project)))
        # A link that leads nowhere any more by the time that it is read is no file.
        (path.parent / "y.jsonl").symlink_to("nowhere")
        chats = home.root / ".gemini" / "tmp" / "p" / "chats"
        home.write(chats / "session-large.json")
        os.truncate(chats / "session-large.json", 65 << 20)
        (skipped,) = store(everywhere=True).refresh().skipped
        assert skipped.path == str(chats / "session-large.json")
        assert skipped.problem.message == (
            "The file has 68,157,440 bytes, more than the 64 MiB that are read"
        )
        assert store().refresh().skipped == ()


class TestFreshness:
    def test_the_same_snapshot_comes_back_when_nothing_changed(self, store, at_work, project):
        at_work("a", project)
        found = store()
        first = found.refresh()
        assert found.refresh() is first
        at_work("b", "/elsewhere")
        assert found.refresh() is first

    def test_what_another_process_has_read_is_seen(self, store, at_work, home, claude, project):
        path = at_work("a", project, 1)
        one, other = store(), store()
        one.refresh()
        home.append(path, claude.answer(2, "a"))
        other.refresh()
        (session,) = one.refresh([]).sessions()
        assert session.models[0].requests == 2

    def test_what_is_known_can_be_had_without_a_look(self, store, at_work, workspace):
        folder = workspace.root
        path = at_work("a", folder)
        workspace.add("r")
        store(folder).refresh()
        path.unlink()
        workspace.add("s")
        assert ids(store(folder).recall()) == ["a", "r"]

    def test_an_update_that_is_stopped_is_gone_on_with(self, store, at_work, project):
        for number in range(5):
            at_work(f"s{number}", project)
        found = store()
        found.refresh(progress=lambda read: found.stop() if read == 2 else None)
        assert len(found.snapshot.entries) == 2
        assert len(store().refresh().entries) == 5

    def test_sessions_active_since_a_moment_are_told(self, machine, at_work, project):
        at_work("old", project, 10)
        at_work("new", project / "src", 20)
        at_work("elsewhere", project.parent, 30)
        found = machine().active_since(project, NOON + timedelta(seconds=15))
        assert [(child.source, child.session_id) for child in found] == [("claude-code", "new")]

    @pytest.mark.parametrize("everywhere", [False, True])
    def test_recent_ones_are_those_since_a_moment_the_newest_and_the_one_that_is_named(
        self, store, at_work, project, everywhere
    ):
        for number in (10, 20, 30, 40):
            at_work(f"s{number}", project, number)

        def found(seconds, session_id="", until=10**9):
            noon = int(NOON.timestamp())
            since, end = ((noon + moment) * 10**6 for moment in (seconds, until))
            selection = Selection(since, end, session_id=session_id)
            return ids(store(selection=selection, everywhere=everywhere).refresh())

        assert found(30) == ["s30", "s40"]
        assert found(300) == ["s40"]
        assert found(30, "s10") == ["s10", "s30", "s40"]
        assert found(15, until=25) == ["s20", "s40"]

    def test_the_newest_of_those_that_count_is_always_recent(
        self, store, at_work, home, codex, project
    ):
        at_work("old", project, 10)
        at_work("elsewhere", project.parent, 30)
        lines = [codex.meta("codex", cwd=str(project)), codex.turn(), codex.tokens(60, 9, 1)]
        home.codex("codex", *lines)
        assert ids(store(selection=Selection(2**60)).refresh()) == ["codex"]
        assert ids(store(names=["claude-code"], selection=Selection(2**60)).refresh()) == ["old"]


class TestFilesOfOneSession:
    def test_an_object_of_gemini_gives_way_to_the_lines_that_go_on_from_it(
        self, store, home, project
    ):
        chats = home.root / ".gemini" / "tmp" / "p" / "chats"
        home.write(chats.parent / ".project_root", str(project).encode())
        described = {"sessionId": "g", "projectHash": "p"}
        first, second = gemini_message(1), gemini_message(2)
        home.write(chats / "session-g.json", {**described, "messages": [first]})
        found = store()
        assert found.refresh().latest().tool_calls == 1
        home.write(chats / "session-g.jsonl", described, first, second)
        session = found.refresh().latest()
        assert (session.models[0].requests, session.tool_calls) == (2, 2)
        assert store().refresh().latest() == session
        (chats / "session-g.json").unlink()
        assert found.refresh().latest() == session

    def test_a_session_of_codex_that_is_archived_stays_what_it_was(
        self, store, home, codex, project
    ):
        lines = [codex.meta("t", cwd=str(project)), codex.turn(), codex.tokens(1, 100, 10)]
        path = home.codex("t", *lines)
        found = store()
        before = found.refresh().latest()
        archive = home.root / ".codex" / "archived_sessions" / path.name
        archive.parent.mkdir()
        path.replace(archive)
        (session,) = found.refresh().sessions()
        assert session.path == str(archive)
        assert (session.models, session.problems) == (before.models, before.problems)


class TestPrices:
    def test_a_price_of_the_users_counts_when_sessions_are_shown(self, store, at_work, project):
        at_work("a", project)
        costs = [
            store(overrides=overrides).refresh().latest().cost
            for overrides in ({}, ONE, {"M": Override(2.0, 3.0)}, {"other": Override(1.0, 1.0)})
        ]
        assert costs == [None, pytest.approx(110e-6), None, None]
        prices = {"m": Override(2.0, 3.0)}
        assert store(overrides=prices).refresh().latest().cost == pytest.approx(230e-6)

    def test_what_too_little_is_known_of_is_billed_by_no_price(self, store, home, project):
        def event(kind, at, **data):
            moment = (NOON + timedelta(seconds=at)).isoformat()
            return {"type": kind, "timestamp": moment, "data": data}

        path = home.root / ".copilot" / "session-state" / "c" / "events.jsonl"
        start = event("session.start", 0, sessionId="c", context={"cwd": str(project)})
        answer = event("assistant.message", 1, outputTokens=50, model="m")
        home.write(path, start, answer)
        found = store()
        session = found.refresh().latest()
        assert (session.models[0].output_tokens, session.cost) == (50, None)
        assert session.models[0].money.unpriced == 1
        usage = {"inputTokens": 100, "outputTokens": 60}
        metrics = {"m": {"requests": {"count": 2}, "usage": usage}}
        home.append(path, event("session.shutdown", 2, modelMetrics=metrics))
        assert found.refresh().latest().cost == pytest.approx(160e-6)

    @pytest.mark.parametrize(
        ("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2025-10-26", 25)]
    )
    def test_a_day_has_as_many_hours_as_it_has_where_the_user_is(
        self, store, home, claude, project, day, hours
    ):
        zone = ZoneInfo("Europe/Berlin")
        noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=zone)
        first = noon.astimezone(UTC).replace(hour=0, minute=40) - timedelta(days=2)
        moments = [first + timedelta(hours=number) for number in range(24 * 5)]
        records = [
            claude.answer(number, cwd=str(project)) | {"timestamp": moment.isoformat()}
            for number, moment in enumerate(moments)
        ]
        home.claude("a", *records)
        snapshot = store().refresh()
        spent = service.spent_within(snapshot, today(noon, zone))
        assert spent.usd == pytest.approx(hours * 110e-6)
        assert service.status(snapshot, noon, zone).today.cost == pytest.approx(hours * 110e-6)


def at(seconds):
    """A moment after noon as reports have it."""
    return (NOON + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def empty_report(*children):
    """What a report has whose own events told nothing."""
    nothing = {"secs": 0, "nanos": 0}
    counts = (
        "tool_calls",
        "successful_tool_calls",
        "failed_tool_calls",
        "tool_approvals_allowed",
        "tool_approvals_denied",
        "tool_approvals_asked",
        "lines_added",
        "lines_removed",
        "total_cached_tokens",
        "total_cache_creation_tokens",
        "total_cache_read_tokens",
        "total_cost",
    )
    return dict.fromkeys(counts, 0) | {
        "agent_active_time": nothing,
        "api_time": nothing,
        "tool_time": nothing,
        "model_usage": {},
        "engine_usage": {},
        "child_sessions": [
            {"source": "claude-code", "session_id": session_id} for session_id in children
        ],
    }


@pytest.fixture
def tracked(workspace):
    """Adds a session tracked from noon on, without figures of its own, and its children."""

    def added(name, *children, first=0, last=3600, ended=True, **more):
        times = {
            "start_time": at(first),
            "end_time": at(last) if ended else None,
            "generated_at": at(last),
        }
        return workspace.add(name, **{**times, **empty_report(*children), **more})

    return added


@pytest.fixture
def root(workspace):
    """The workspace's folder."""
    return workspace.root


class TestChildren:
    """Sessions of other agents that ran as part of a tracked one."""

    def test_a_child_fills_what_the_report_left_empty_and_counts_once(
        self, store, home, claude, workspace, tracked
    ):
        home.claude("c", *claude.called(1, "c"), cwd_of(claude, "c", workspace.root))
        tracked("t", "c", lines_added=7)
        found = store(workspace.root)
        (session,) = found.refresh().sessions()
        assert (session.id, session.source, session.lines_added) == ("t", "radium", 7)
        assert (session.models[0].requests, session.tool_calls) == (1, 1)
        assert session.cost == pytest.approx(110e-6)
        assert service.status(found.snapshot, NOON, UTC).totals.sessions == 1

    def test_what_the_report_tells_itself_counts(self, store, home, claude, workspace):
        home.claude("c", *claude.answers(1, 2, session="c"))
        children = empty_report("c")["child_sessions"]
        workspace.add("t", child_sessions=children)
        (session,) = store(workspace.root).refresh().sessions()
        assert (session.cost, session.tool_calls) == (0.1275, 231)

    def test_a_child_that_is_not_known_is_none(self, store, workspace, tracked):
        tracked("t", "unheard-of")
        (session,) = store(workspace.root).refresh().sessions()
        assert session.models == ()

    def test_a_child_that_grows_is_followed_wherever_it_works(
        self, store, home, claude, workspace, tracked
    ):
        path = home.claude("c", claude.answer(1, "c", cwd="/elsewhere"))
        tracked("t", "c")
        found = store(workspace.root)
        assert found.refresh().latest().models[0].requests == 1
        home.append(path, claude.answer(2, "c"))
        assert found.refresh().latest().models[0].requests == 2
        home.append(path, claude.answer(3, "c"))
        assert found.refresh([str(path)]).latest().models[0].requests == 3
        assert found.refresh() is found.refresh()

    def test_a_child_is_read_whichever_sources_are_asked_for(
        self, store, home, claude, workspace, tracked
    ):
        home.claude("c", claude.answer(1, "c"))
        tracked("t", "c")
        (session,) = store(workspace.root, names=["radium"]).refresh().sessions()
        assert session.models[0].requests == 1

    def test_without_reports_a_child_counts_by_itself(
        self, store, home, claude, workspace, tracked
    ):
        home.claude("c", claude.answer(1, "c", cwd=str(workspace.root)))
        tracked("t", "c")
        assert ids(store(workspace.root, names=["claude-code"]).refresh()) == ["c"]

    def test_a_child_is_priced_by_the_users_prices(self, store, home, claude, workspace, tracked):
        home.claude("c", claude.answer(1, "c"))
        tracked("t", "c")
        dear = {"m": Override(1000.0, 1000.0)}
        assert store(workspace.root, overrides=dear).refresh().latest().cost == pytest.approx(0.11)

    def test_a_child_of_two_counts_with_the_one_that_ended_first(
        self, store, home, claude, workspace, tracked
    ):
        home.claude("c", claude.answer(1, "c"))
        tracked("x", "c", last=7200)
        tracked("y", "c", last=3600)
        found = store(workspace.root).refresh()
        assert {one.id: len(one.models) for one in found.sessions()} == {"x": 0, "y": 1}
        assert service.usage(found, "model").rows[0].requests == 1

    def test_a_copy_of_the_report_takes_no_child_away(
        self, store, home, claude, workspace, tracked, report_bytes
    ):
        home.claude("c", claude.answer(1, "c"))
        tracked("t", "c")
        newer = report_bytes(
            session_id="t",
            start_time=at(0),
            end_time=at(3600),
            generated_at=at(7200),
            **empty_report("c"),
        )
        workspace.raw("copy.json", newer)
        (session,) = store(workspace.root).refresh().sessions()
        assert Path(session.path).name == "copy.json"
        assert session.models[0].requests == 1

    def test_a_child_that_is_gone_is_still_part_of_it(
        self, store, home, claude, workspace, tracked
    ):
        path = home.claude("c", claude.answer(1, "c", cwd=str(workspace.root)))
        tracked("t", "c")
        found = store(workspace.root)
        found.refresh()
        path.unlink()
        (session,) = found.refresh().sessions()
        assert session.models[0].requests == 1
        assert DELETED in [problem.message for problem in session.problems]

    def test_an_open_buffer_of_a_report_has_its_children_too(
        self, store, home, claude, workspace, tracked, session
    ):
        home.claude("c", claude.answer(1, "c"), claude.answer(2, "c"))
        path = tracked("t")
        found = store(workspace.root)
        assert found.refresh().latest().models == ()
        edited = session("t", start_time=at(0), end_time=at(3600), **empty_report("c"))
        assert found.edit(str(path), edited).latest().models[0].requests == 2
        assert found.edit(str(path), None).latest().models == ()

    def test_a_child_of_which_nothing_is_known_makes_the_cost_unknown(self, store, tracked, root):
        tracked("t", "unheard-of")
        session = store(root).refresh().latest()
        assert session.cost is None
        (note,) = session.problems
        assert note.message == (
            "The transcript of claude-code session unheard-of can't be found: its cost is unknown"
        )

    def test_of_several_children_the_known_ones_are_the_least(
        self, store, home, claude, tracked, root
    ):
        home.claude("c", claude.answer(1, "c"))
        tracked("t", "c", "unheard-of")
        money = store(root).refresh().latest().money
        assert (money.usd, money.is_lower_bound) == (pytest.approx(110e-6), True)

    def test_a_report_that_tells_costs_needs_no_child(self, store, workspace):
        workspace.add("t", child_sessions=empty_report("unheard-of")["child_sessions"])
        session = store(workspace.root).refresh().latest()
        assert (session.cost, session.problems) == (0.1275, ())


class TestResumed:
    """Sessions of other agents that ran as part of several tracked ones, or only in part."""

    @pytest.fixture
    def history(self, store, root):
        """The sessions of the workspace by id, newest first."""
        return lambda **options: {
            one.id: one for one in store(root, **options).refresh().sessions()
        }

    @pytest.fixture
    def resumed(self, home, claude, root):
        """A session that was run by hand, and resumed twice in tracked ones, and by hand after."""

        def written(*moments):
            records = [
                record
                for moment in moments
                for record in [
                    claude.record("user", "c", moment - 1, str(root), message={"content": "x"}),
                    *claude.called(moment, "c"),
                ]
            ]
            return home.claude("c", *records)

        return written

    def test_each_has_what_was_done_while_it_ran(self, history, resumed, tracked):
        resumed(10, 20, 110, 4000)
        tracked("one", "c", first=0, last=100)
        tracked("two", "c", first=101, last=5000)
        found = history()
        assert list(found) == ["two", "one"]
        assert {name: requests(one) for name, one in found.items()} == {"one": 2, "two": 2}
        assert [one.cost for one in found.values()] == [pytest.approx(220e-6)] * 2
        assert [one.tool_calls for one in found.values()] == [2, 2]
        # Each turn began a second before its answer, and its tool call ended a second later.
        times = [(one.agent_active_time, one.tool_time) for one in found.values()]
        assert times == [(4_000_000_000, 2_000_000_000)] * 2

    def test_what_was_done_by_hand_stays_the_agents_session(self, history, resumed, tracked):
        resumed(10, 110, 120, 4000)
        tracked("one", "c", first=50, last=200)
        found = history()
        assert {name: (one.source, requests(one)) for name, one in found.items()} == {
            "c": ("claude-code", 2),
            "one": ("radium", 2),
        }
        left = found["c"]
        assert (left.tool_calls, left.cost) == (2, pytest.approx(220e-6))
        assert (left.start_time, left.generated_at) == (
            NOON + timedelta(seconds=9),
            NOON + timedelta(seconds=4001),
        )
        # From the first moment to the last, without the time that was tracked.
        assert left.wall_time == (4001 - 9 - 150) * 1_000_000_000 - 1_000_000

    def test_all_requests_count_once_in_all_sums(self, history, store, root, resumed, tracked):
        resumed(10, 110, 120, 300, 4000)
        tracked("one", "c", first=50, last=115)
        tracked("two", "c", first=100, last=3000)
        found = history()
        assert {name: requests(one) for name, one in found.items()} == {"c": 2, "one": 1, "two": 2}
        opened = store(root)
        opened.update()
        (total,) = opened.usage_totals((), ALWAYS, UTC)
        assert total.requests == sum(map(requests, found.values()))
        assert total.money.usd == pytest.approx(sum(one.cost for one in found.values()))
        (calls,) = opened.tool_totals((), ALWAYS, UTC)
        assert calls.ok == sum(one.tool_calls for one in found.values())

    def test_what_a_tracked_session_has_told_itself_is_in_no_sum_twice(
        self, store, workspace, resumed
    ):
        resumed(10)
        children = empty_report("c")["child_sessions"]
        times = {"start_time": at(0), "end_time": at(100), "generated_at": at(100)}
        workspace.add("t", child_sessions=children, **times)
        opened = store(workspace.root)
        snapshot = opened.refresh()
        (total,) = opened.usage_totals((), ALWAYS, UTC)
        assert total.requests == requests(snapshot.latest())

    def test_a_request_at_the_first_or_the_last_moment_belongs_to_it(
        self, history, resumed, tracked
    ):
        resumed(10, 110)
        tracked("one", "c", first=10.0004, last=110.0004)
        assert [requests(one) for one in history().values()] == [2]

    def test_a_session_that_is_running_has_what_is_done_since_it_was_written(
        self, history, resumed, tracked
    ):
        resumed(10, 110)
        tracked("one", "c", last=50, ended=False)
        assert [requests(one) for one in history().values()] == [2]

    def test_one_that_broke_off_takes_nothing_from_the_next(self, history, resumed, tracked):
        resumed(10, 110)
        tracked("one", "c", last=50, ended=False)
        tracked("two", "c", first=100, last=200)
        assert {name: requests(one) for name, one in history().items()} == {"one": 1, "two": 1}

    def test_a_request_that_counts_with_another_session_counts_there(
        self, history, home, claude, resumed, tracked
    ):
        resumed(10, 110, 4000)
        home.claude("fork", *[{**record, "sessionId": "fork"} for record in claude.called(110)])
        tracked("one", "c", "fork", first=50, last=200)
        found = history()
        assert sum(map(requests, found.values())) == 3
        assert requests(found["one"]) == 1

    def test_lines_without_a_time_count_once(self, history, codex, home, root, tracked):
        patch = "*** Begin Patch\n*** Add File: a\n+1\n+2\n*** End Patch"
        call = {
            "timestamp": at(112),
            "type": "response_item",
            "payload": {
                "type": "custom_tool_call",
                "call_id": "1",
                "name": "apply_patch",
                "input": patch,
            },
        }
        done = {
            "timestamp": at(113),
            "type": "response_item",
            "payload": {"type": "custom_tool_call_output", "call_id": "1", "output": "{}"},
        }
        home.codex(
            "x", codex.meta("x", cwd=str(root)), codex.turn(), codex.tokens(10, 100, 10),
            codex.tokens(110, 200, 20), call, done,
        )  # fmt: skip
        child = [{"source": "codex", "session_id": "x"}]
        tracked("one", first=0, last=50, child_sessions=child)
        tracked("two", first=100, last=200, child_sessions=child)
        found = history()
        assert sum(one.lines_added for one in found.values()) == 2
        assert found["one"].lines_added == 0

    def test_sums_count_with_the_run_in_which_they_were_made(self, history, home, root, tracked):
        def event(seconds, kind, **data):
            return {"timestamp": at(seconds), "type": kind, "data": data}

        def run(seconds, start, output):
            usage = {"inputTokens": 100, "outputTokens": output}
            metrics = {"m": {"requests": {"count": 1}, "usage": usage}}
            return [
                event(seconds, start, sessionId="p", context={"cwd": str(root)}),
                event(seconds + 1, "assistant.message", model="m", outputTokens=output),
                event(seconds + 2, "session.shutdown", modelMetrics=metrics),
            ]

        path = home.root / ".copilot" / "session-state" / "p" / "events.jsonl"
        home.write(path, *run(10, "session.start", 5), *run(110, "session.resume", 7))
        child = [{"source": "copilot-cli", "session_id": "p"}]
        tracked("one", first=0, last=50, child_sessions=child)
        tracked("two", first=100, last=200, child_sessions=child)
        output = {name: one.models[0].output_tokens for name, one in history().items()}
        assert output == {"one": 5, "two": 7}

    @pytest.mark.parametrize("newest", [1, 2, 10])
    def test_the_newest_sessions_are_counted_like_all(
        self, history, store, root, resumed, tracked, home, claude, newest
    ):
        resumed(10, 110, 4000)
        home.claude("d", *claude.answers(60, session="d", cwd=str(root)))
        tracked("one", "c", "d", first=50, last=200)
        assert set(history()) == {"c", "one"}
        some = store(root, selection=Selection(2**62, newest=newest)).refresh()
        assert (some.total, some.entries[0].id) == (2, "c")

    def test_a_deleted_transcript_still_counts(self, history, resumed, tracked):
        path = resumed(10, 110)
        tracked("one", "c", first=0, last=100)
        tracked("two", "c", first=101, last=200)
        before = history()
        path.unlink()
        after = history()
        assert [one.cost for one in after.values()] == [one.cost for one in before.values()]
        assert DELETED in [problem.message for problem in after["two"].problems]


def requests(session):
    return sum(usage.requests for usage in session.models)


def cwd_of(claude, name, folder):
    """A record by which a session works in a folder."""
    return claude.record("user", name, cwd=str(folder), message={"content": "x"})


class TestSmallChanges:
    """What a small change costs does not grow with all that the index has."""

    # Not `child`, whose rows are few, and looked at before each answer.
    TABLES = ("session", "request", "tool", "part", "file", "usage")

    @pytest.fixture
    def scans(self, machine, workspace):
        """The tables that a refresh goes through as a whole, after a change at some paths."""

        def scanned(change, *paths):
            found = machine()
            store = Store(found, workspace.root)
            store.refresh()
            statements = []
            connection = found.index.connection
            connection.set_trace_callback(statements.append)
            change()
            store.refresh([str(path) for path in paths])
            connection.set_trace_callback(None)
            plans = [
                step
                for statement in statements
                if statement.split()[0] in {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}
                for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            ]
            assert plans
            return {step for step in plans for table in self.TABLES if step == f"SCAN {table}"}

        return scanned

    def test_a_report_that_is_written_again(self, scans, workspace):
        path = workspace.add("a")
        assert scans(lambda: workspace.add("a", total_cost=2.0), path) == set()

    def test_a_transcript_that_grows(self, scans, home, claude, workspace):
        cwd = str(workspace.root)
        path = home.claude("a", *claude.called(1), claude.record("user", "a", cwd=cwd))
        home.claude("b", *claude.answers(1, 2, session="b", cwd=cwd))
        assert scans(lambda: home.append(path, *claude.called(5)), path) == set()

    def test_a_transcript_that_is_written_anew_or_goes(self, scans, home, claude, workspace):
        cwd = str(workspace.root)
        path = home.claude("a", *claude.answers(1, 2, cwd=cwd))
        home.claude("b", *claude.answers(1, 2, session="b", cwd=cwd))
        assert scans(lambda: home.claude("a", claude.answer(7, cwd=cwd)), path) == set()
        assert scans(path.unlink, path) == set()
