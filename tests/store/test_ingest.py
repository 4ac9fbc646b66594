"""Transcripts of other agents: each byte is read once, each request counts once."""

from __future__ import annotations

import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NOON = 1772452800
"""When the transcripts begin."""

DELETED = "The transcript has been deleted; these are its last figures"


def notes(session):
    return [problem.message for problem in session.problems]


class TestReading:
    def test_only_the_new_bytes_of_a_grown_file_are_read(self, home, claude, fed, indexed):
        path = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        assert fed.taken() == path.stat().st_size
        found.update()
        assert fed.taken() == 0
        before = path.stat().st_size
        home.append(path, claude.answer(3))
        found.update()
        assert fed.taken() == path.stat().st_size - before
        assert found.requests() == {"a": 3}

    def test_another_process_goes_on_where_one_stopped(self, home, claude, fed, indexed):
        path = home.claude("a", *claude.answers(1, 2))
        indexed().update()
        before = fed.taken()
        home.append(path, claude.answer(3))
        other = indexed()
        other.update()
        assert fed.taken() == path.stat().st_size - before
        assert other.requests() == {"a": 3}

    def test_only_the_named_files_are_looked_at(self, home, claude, indexed):
        a = home.claude("a", claude.answer(1))
        b = home.claude("b", claude.answer(2, "b"))
        found = indexed()
        found.update()
        home.append(a, claude.answer(3))
        home.append(b, claude.answer(4, "b"))
        found.update([str(b), "/elsewhere.jsonl"])
        assert found.requests() == {"a": 1, "b": 2}

    def test_a_named_file_that_tells_nothing_of_sessions_costs_no_look(self, home, claude, indexed):
        found = indexed()
        found.update()
        home.claude("a", claude.answer(1))
        app = home.root / ".config" / "Claude" / "local-agent-mode-sessions"
        found.update([str(app / "org" / "account" / "local_1" / "audit.jsonl")])
        assert found.requests() == {}
        local = app / "org" / "account" / "local_1" / ".claude" / "projects" / "-w"
        found.update([str(local / "b.jsonl")])
        assert found.requests() == {"a": 1}

    def test_a_named_file_that_is_new_or_gone_is_not_missed(self, home, claude, indexed):
        found = indexed()
        found.update()
        path = home.claude("a", claude.answer(1))
        found.update([str(path)])
        assert found.requests() == {"a": 1}
        path.unlink()
        (session,) = found.update([str(path)]).values()
        assert notes(session) == [DELETED]

    def test_a_file_named_by_its_real_path_is_known(self, home, claude, indexed, tmp_path):
        real = tmp_path / "real"
        real.mkdir()
        home.root.mkdir()
        (home.root / ".claude").symlink_to(real)
        path = home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        home.append(path, claude.answer(2))
        found.update([str(path.resolve())])
        assert found.requests() == {"a": 2}

    def test_a_torn_line_waits_for_its_end(self, home, claude, fed, indexed):
        whole = home.claude("whole", claude.answer(2)).read_bytes()
        (home.projects / "whole.jsonl").unlink()
        path = home.claude("a", claude.answer(1), whole[:40])
        found = indexed()
        (session,) = found.update().values()
        assert (found.requests(), session.problems) == ({"a": 1}, ())
        fed.taken()
        home.append(path, whole[40:])
        (session,) = found.update().values()
        assert (found.requests(), session.problems) == ({"a": 2}, ())
        assert fed.taken() == len(whole)

    def test_a_last_line_without_line_feed_counts_once(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1), *claude.called(1), claude.answer(2, output=7))
        whole = path.read_bytes()
        path.write_bytes(whole.removesuffix(b"\n"))
        found = indexed()
        (before,) = found.update().values()
        assert (found.requests(), before.tool_calls) == ({"a": 2}, 1)
        for more in (b"\n", b"", whole[: whole.index(b"\n")], b"\r\n"):
            with path.open("ab") as file:
                file.write(more)
            (session,) = found.update().values()
            assert found.requests() == {"a": 2}
            assert (session.tool_calls, session.problems) == (1, ())
        home.append(path, claude.answer(3))
        found.update()
        assert found.requests() == {"a": 3}

    def test_a_last_line_with_the_result_of_a_call_counts_once(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1), *claude.called(1))
        path.write_bytes(path.read_bytes().removesuffix(b"\n"))
        found = indexed()
        assert found.update()["a"].tool_calls == 1
        home.append(path, b"\n", *claude.called(2))
        assert found.update()["a"].tool_calls == 2

    def test_a_last_line_that_goes_on_otherwise_does_not_count(self, home, claude, indexed):
        path = home.claude("a", *claude.answers(1, 2))
        path.write_bytes(path.read_bytes().removesuffix(b"\n"))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 2}
        home.append(path, b'{"type": "assis')
        found.update()
        assert found.requests() == {"a": 1}

    def test_a_truncated_file_is_read_anew(self, home, claude, fed, indexed):
        path = home.claude("a", *claude.answers(1, 2, 3))
        found = indexed()
        found.update()
        fed.taken()
        home.claude("a", claude.answer(1))
        found.update()
        assert found.requests() == {"a": 1}
        assert fed.taken() == path.stat().st_size

    def test_a_file_replaced_by_a_rename_is_read_anew(self, home, claude, indexed):
        path = home.claude("a", *claude.answers(1, 2, 3))
        found = indexed()
        found.update()
        home.claude("b", *claude.answers(7, 8, 9, 10)).replace(path)
        found.update()
        assert found.requests() == {"a": 4}
        assert found.tokens() == (400, 40)

    def test_a_file_of_the_same_size_with_other_figures_is_read_anew(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1, output=10), claude.answer(2))
        found = indexed()
        found.update()
        before = path.stat()
        home.claude("a", claude.answer(1, output=90), claude.answer(2))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        found.update()
        assert path.stat().st_size == before.st_size
        assert found.tokens() == (200, 100)

    def test_a_file_rewritten_longer_is_read_anew(self, home, claude, indexed):
        home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        home.claude("a", *claude.answers(5, 6, 7))
        found.update()
        assert found.tokens() == (300, 30)

    def test_a_clock_that_goes_back_hides_nothing(self, home, claude, fed, indexed):
        path = home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        home.append(path, claude.answer(2))
        os.utime(path, (0, 0))
        found.update()
        assert found.requests() == {"a": 2}
        fed.taken()
        os.utime(path, ns=(-(10**18), 2**62))
        found.update()
        home.append(path, claude.answer(3))
        found.update()
        assert found.requests() == {"a": 3}

    def test_a_transcript_may_grow_while_it_is_read(self, home, claude, fed, indexed):
        path = home.claude("a", claude.answer(1))
        numbers = iter(range(2, 100))
        fed.while_reading = lambda: home.append(path, claude.answer(next(numbers)))
        found = indexed()
        for count in (1, 2, 3):
            found.update()
            assert found.requests() == {"a": count}

    def test_each_file_that_was_read_is_counted(self, home, claude, fed, indexed):
        for name in "abc":
            home.claude(name, claude.answer(1, name))
        read = []
        found = indexed()
        found.update(sources=[fed], count=lambda: read.append(1))
        found.update(sources=[fed], count=lambda: read.append(1))
        assert len(read) == 3

    def test_the_version_changes_when_a_session_may_have(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1))
        one, other = indexed(), indexed()
        one.update()
        other.update()
        before = one.machine.version()
        one.update()
        assert one.machine.version() == before
        home.append(path, claude.answer(2))
        other.update()
        assert one.machine.version() != before
        assert one.requests() == {"a": 2}


class TestFilesThatGo:
    def test_a_session_whose_file_is_deleted_stays_and_is_marked(self, home, claude, indexed):
        path = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        assert notes(found.update()["a"]) == []
        path.unlink()
        assert notes(found.update()["a"]) == [DELETED]
        assert found.requests() == {"a": 2}
        before = found.machine.version()
        found.update()
        assert found.machine.version() == before

    def test_a_file_that_comes_back_is_as_it_was(self, home, claude, fed, indexed, tmp_path):
        path = home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        fed.taken()
        path.replace(tmp_path / "away")
        found.update()
        (tmp_path / "away").replace(path)
        home.append(path, claude.answer(2))
        session = found.update()["a"]
        assert (found.requests(), notes(session)) == ({"a": 2}, [])
        assert fed.taken() == len(path.read_bytes()) // 2

    def test_a_file_with_the_name_of_one_that_is_gone_is_another(self, home, claude, indexed):
        path = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        path.unlink()
        found.update()
        home.claude("a", claude.answer(5))
        found.update()
        assert found.requests() == {"a": 1}

    def test_one_file_of_two_that_is_gone_leaves_no_mark(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        agent = home.claude("a/subagents/agent-1", claude.answer(2, isSidechain=True))
        found = indexed()
        found.update()
        agent.unlink()
        assert notes(found.update()["a"]) == []
        assert found.requests() == {"a": 2}

    def test_a_file_that_was_moved_counts_once(self, home, claude, indexed):
        path = home.claude("-w-proj/a", *claude.called(1))
        found = indexed()
        found.update()
        target = home.projects / "-elsewhere" / "a.jsonl"
        target.parent.mkdir()
        path.replace(target)
        session = found.update()["a"]
        assert (session.tool_calls, found.requests(), notes(session)) == (1, {"a": 1}, [])
        assert session.path == str(target)
        home.append(target, *claude.called(5))
        assert found.update()["a"].tool_calls == 2

    def test_a_file_that_lies_in_two_folders_counts_once(self, home, claude, indexed):
        home.claude("x/a", *claude.called(1))
        home.claude("y/a", *claude.called(1), *claude.called(5))
        session = indexed().update()["a"]
        assert (session.tool_calls, session.models[0].requests) == (2, 2)

    def test_files_in_a_folder_that_another_process_looks_at_are_not_gone(
        self, home, claude, indexed, tmp_path
    ):
        home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        elsewhere = type(found.sources[0])(tmp_path / "elsewhere")
        other = indexed(source=elsewhere)
        assert notes(other.update()["a"]) == []

    def test_a_file_that_never_told_anything_leaves_nothing(self, home, indexed):
        path = home.claude("a", b"\n")
        found = indexed()
        found.update()
        path.unlink()
        assert found.update() == {}
        assert found.skipped_lines() == []


class TestSessions:
    def test_a_file_may_hold_two_sessions(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1, "a"), claude.answer(2, "b"))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 1, "b": 1}
        home.append(path, claude.answer(3, "b"), claude.answer(4, "c"))
        found.update()
        assert found.requests() == {"a": 1, "b": 2, "c": 1}
        home.claude("a", claude.answer(1, "a"))
        found.update()
        assert found.requests() == {"a": 1}

    def test_a_sub_agents_file_joins_its_parent(self, home, claude, indexed):
        agent = home.claude("a/subagents/agent-1", *claude.called(2))
        found = indexed()
        found.update()
        main = home.claude("a", claude.answer(1, at=0), *claude.called(5))
        session = found.update()["a"]
        assert (found.requests(), session.tool_calls) == ({"a": 3}, 2)
        assert session.path == str(main)
        home.append(agent, *claude.called(9))
        session = found.update()["a"]
        assert (found.requests(), session.tool_calls) == ({"a": 4}, 3)
        assert session.wall_time == 10 * 10**9

    def test_where_the_parent_works_counts_not_where_its_sub_agent_does(
        self, home, claude, indexed
    ):
        home.claude("agent-1", claude.answer(1, "b", cwd="/w/other"))
        home.claude("b", claude.answer(2, "b", cwd="/w/proj"))
        found = indexed()
        found.update()
        assert len(found.entries("claude-code", folders=("/w/proj",))) == 1
        assert found.entries("claude-code", folders=("/w/other",)) == []

    def test_a_session_without_a_moment_is_none(self, home, claude, indexed):
        record = claude.answer(1)
        del record["timestamp"]
        home.claude("a", record)
        found = indexed()
        assert found.update() == {}
        assert found.entry("claude-code", "a") is None

    def test_one_session_is_found_by_its_source_and_id(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        assert found.entry("claude-code", "a").session.id == "a"
        assert found.entry("codex", "a") is None

    def test_moments_of_all_years_are_readable(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        strange = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-01-01T00:00:00Z"]
        for number, moment in enumerate(strange):
            home.claude(f"s{number}", claude.answer(number, f"s{number}") | {"timestamp": moment})
        found = indexed()
        assert found.update()["a"].models[0].requests == 1
        assert found.tokens()[0] >= 100

    def test_a_total_of_codex_counts_as_its_changes(self, home, codex, indexed):
        path = home.codex("t", codex.meta("t"), codex.turn(), codex.tokens(1, 100, 10))
        found = indexed()
        found.update()
        home.append(path, codex.tokens(2, 100, 10), codex.tokens(3, 250, 30))
        found.update()
        assert (found.requests(), found.tokens()) == ({"t": 2}, (250, 30))


class TestCopies:
    """A session that goes on from another begins with a copy of it."""

    def test_a_request_counts_with_the_session_that_made_it_first(self, home, claude, indexed):
        home.claude("a", *claude.answers(1, 2))
        home.claude("b", *claude.answers(1, 2, 3, session="b"))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 2, "b": 1}

    def test_also_when_the_copy_is_read_first(self, home, claude, indexed):
        home.claude("b", *claude.answers(1, 2, 3, session="b"))
        found = indexed()
        found.update()
        assert found.requests() == {"b": 3}
        home.claude("a", *claude.answers(1, 2))
        found.update()
        assert found.requests() == {"a": 2, "b": 1}

    def test_also_when_the_copy_has_later_times(self, home, claude, indexed):
        home.claude("a", *claude.answers(1, 2, session="a", at=50))
        home.claude("b", *claude.answers(1, 2, session="b", at=10))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 0, "b": 2}

    def test_what_both_go_on_with_is_their_own(self, home, claude, indexed):
        a = home.claude("a", *claude.answers(1, 2))
        b = home.claude("b", *claude.answers(1, 2, 3, session="b"))
        found = indexed()
        found.update()
        home.append(a, claude.answer(4))
        home.append(b, claude.answer(5, "b"))
        found.update()
        assert found.requests() == {"a": 3, "b": 2}

    @pytest.mark.parametrize("count", [2, 700])
    def test_a_copy_counts_again_when_the_original_loses_it(self, home, claude, indexed, count):
        numbers = range(1, count + 1)
        home.claude("a", *claude.answers(*numbers))
        home.claude("b", *claude.answers(*numbers, 5000, session="b"))
        found = indexed()
        found.update()
        assert found.requests() == {"a": count, "b": 1}
        home.claude("a", claude.answer(9999))
        found.update()
        assert found.requests() == {"a": 1, "b": count + 1}
        home.claude("a", *claude.answers(*numbers))
        found.update()
        assert found.requests() == {"a": count, "b": 1}

    def test_a_copy_does_not_count_while_the_original_is_only_gone(self, home, claude, indexed):
        original = home.claude("a", *claude.answers(1, 2))
        found = indexed()
        found.update()
        original.unlink()
        home.claude("b", *claude.answers(1, 2, 3, session="b"))
        found.update()
        assert found.requests() == {"a": 2, "b": 1}

    @pytest.mark.parametrize("order", ["abc", "cba", "bca"])
    def test_a_copy_of_a_copy_counts_with_the_first(self, home, claude, indexed, order):
        numbers = {"a": (1, 2), "b": (1, 2, 3), "c": (1, 2, 3, 4)}
        found = indexed()
        for name in order:
            home.claude(name, *claude.answers(*numbers[name], session=name))
            found.update()
        assert found.requests() == {"a": 2, "b": 1, "c": 1}

    def test_what_a_sub_agent_repeats_gives_way_to_its_parent(self, home, claude, indexed):
        replayed = claude.answer(1, at=0, request="other", isSidechain=True, output=500)
        home.claude("a/subagents/agent-1", replayed, claude.answer(2, isSidechain=True))
        found = indexed()
        found.update()
        assert found.tokens() == (200, 510)
        home.claude("a", claude.answer(1))
        found.update()
        assert (found.requests(), found.tokens()) == ({"a": 2}, (200, 20))

    def test_what_two_sub_agents_repeat_counts_once(self, home, claude, indexed):
        for name in ("x", "y"):
            home.claude(
                f"a/subagents/agent-{name}", claude.answer(1, request=name, isSidechain=True)
            )
        found = indexed()
        found.update()
        assert found.requests() == {"a": 1}

    def test_one_message_with_two_request_ids_is_two_requests(self, home, claude, indexed):
        home.claude("a", claude.answer(1, request="x"), claude.answer(1, request="y"))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 2}

    def test_requests_without_an_id_are_known_by_their_message(self, home, claude, indexed):
        home.claude("a", *claude.answers(1, 2, request=None))
        home.claude("b", *claude.answers(1, 2, 3, session="b", request=None))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 2, "b": 1}

    def test_the_last_chunk_of_an_answer_counts_whenever_it_comes(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1, output=1, stop=None))
        found = indexed()
        assert found.update()["a"].problems != ()
        home.append(path, claude.answer(1, at=1000, output=379))
        session = found.update()["a"]
        assert (found.requests(), found.tokens()) == ({"a": 1}, (100, 379))
        assert session.problems == ()
        assert session.spending[0].slot * 900 == NOON
        home.append(path, claude.answer(1, at=1001, output=2))
        found.update()
        assert found.tokens() == (100, 379)

    def test_a_file_that_grows_often_stays_exact(self, home, claude, indexed):
        path = home.claude("a", claude.answer(0))
        found = indexed()
        for number in range(1, 40):
            home.append(path, claude.answer(number), claude.answer(number // 2, output=11))
            found.update()
        assert found.requests() == {"a": 40}
        assert found.tokens() == (4000, 40 * 10 + 20)

    def test_thousands_of_requests_of_a_file_count_once(self, home, claude, indexed):
        # They are stored in several steps, and the first have later records in the last.
        numbers = range(9_000)
        again = [claude.answer(number, output=11) for number in range(5)]
        path = home.claude("a", *claude.answers(*numbers), *again)
        found = indexed()
        found.update()
        assert found.requests() == {"a": 9_000}
        assert found.tokens() == (900_000, 90_005)
        for number in range(9_000, 9_030):
            home.append(path, claude.answer(number), claude.answer(number - 8_999, output=12))
            found.update()
        assert found.requests() == {"a": 9_030}
        assert found.tokens() == (903_000, 90_300 + 1 + 30 * 2)

    def test_hundreds_of_files_that_grow_are_all_known_again(self, home, claude, fed, indexed):
        names = [f"s{number}" for number in range(700)]
        paths = [home.claude(name, claude.answer(1, name, request=name)) for name in names]
        found = indexed()
        found.update()
        read = fed.taken()
        for name, path in zip(names, paths, strict=True):
            home.append(path, claude.answer(2, name, request=f"{name}_2"))
        paths.append(home.claude("new", claude.answer(1, "new", request="new")))
        found.update()
        assert found.requests() == {**dict.fromkeys(names, 2), "new": 1}
        assert fed.taken() == sum(path.stat().st_size for path in paths) - read

    def test_a_fork_has_only_the_calls_lines_and_time_of_its_own(self, home, claude, indexed):
        def edited(number, session):
            patch = {"filePath": f"f{number}", "structuredPatch": [{"lines": ["+a", "+b", "-c"]}]}
            call, result = claude.called(number, session)
            return [call, result | {"toolUseResult": patch}]

        hour = 3600
        home.claude("a", claude.prompt("a", 0), *edited(1, "a"), *edited(2, "a"))
        copied = [claude.prompt("b", 0), *edited(1, "b"), *edited(2, "b")]
        own = [claude.prompt("b", hour), *edited(hour + 1, "b")]
        home.claude("b", *copied, *own)
        for order in (["a", "b"], ["b", "a"]):
            found = indexed(memory=True)
            for name in order:
                found.update([str(home.projects / f"{name}.jsonl")])
            first, fork = (found.sessions()[name] for name in "ab")
            assert (first.tool_calls, first.lines_added, first.lines_removed) == (2, 4, 2)
            assert (fork.tool_calls, fork.lines_added, fork.lines_removed) == (1, 2, 1)
            assert (first.files_changed, fork.files_changed) == (2, 1)
            second = 1_000_000_000
            assert (first.wall_time, fork.wall_time) == (3 * second, 2 * second)
            assert (first.agent_active_time, fork.agent_active_time) == (3 * second, 2 * second)
            assert (fork.start_time - first.start_time).total_seconds() == hour

    def test_the_calls_of_a_fork_are_its_own_when_the_original_loses_them(
        self, home, claude, indexed
    ):
        home.claude("a", *claude.called(1, "a"), *claude.called(2, "a"))
        home.claude("b", *claude.called(1, "b"), *claude.called(2, "b"), *claude.called(3, "b"))
        found = indexed()
        sessions = found.update()
        assert [sessions[name].tool_calls for name in "ab"] == [2, 1]
        home.claude("a", *claude.called(1, "a"))
        sessions = found.update()
        assert [sessions[name].tool_calls for name in "ab"] == [1, 2]

    def test_the_fullest_copy_of_an_answer_counts(self, home, claude, indexed):
        home.claude("a", claude.answer(1, output=23, stop=None), claude.answer(1, output=90_020))
        home.claude("b", claude.answer(1, "b", output=23, stop=None), claude.answer(2, "b"))
        found = indexed()
        found.update()
        assert found.tokens() == (200, 90_030)

    def test_answers_of_a_relay_in_sub_agents_files_are_no_copies(self, home, claude, indexed):
        def answer(session, at, request, fresh, **more):
            made = claude.answer(1, session, at, request=request, **more)
            made["message"]["usage"]["input_tokens"] = fresh
            return made

        home.claude("a", answer("a", 1, "x", 100), answer("a", 2, "y", 200))
        home.claude("a/subagents/agent-1", answer("a", 3, "z", 300, isSidechain=True))
        found = indexed()
        found.update()
        assert (found.requests(), found.tokens()) == ({"a": 3}, (600, 30))

    def test_codex_copies_nothing_of_its_parent(self, home, codex, indexed):
        usage = [codex.tokens(1, 100, 10), codex.tokens(2, 200, 20)]
        home.codex("p", codex.meta("p"), codex.turn(), *usage)
        home.codex(
            "q",
            codex.meta("q", 50, forked_from_id="p"),
            codex.turn(50),
            *usage,
            codex.tokens(60, 300, 30),
        )
        found = indexed()
        found.update()
        assert (found.requests(), found.tokens()) == ({"p": 2, "q": 1}, (300, 30))


class TestBadFiles:
    def test_a_line_of_nul_bytes_is_counted(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1), b"\0" * 5000 + b"\n", claude.answer(2))
        found = indexed()
        session = found.update()["a"]
        assert found.requests() == {"a": 2}
        assert notes(session) == ["Lines of the transcript that can't be read: 1"]
        ((where, count, first),) = found.skipped_lines()
        assert (where, count, [skipped.line for skipped in first]) == (str(path), 1, [2])

    def test_skipped_lines_are_counted_on_when_a_file_grows(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1), b"{\n")
        found = indexed()
        found.update()
        home.append(path, b"[\n", claude.answer(2))
        assert notes(found.update()["a"]) == ["Lines of the transcript that can't be read: 2"]

    def test_values_of_any_type_at_any_key_cost_one_line_at_most(self, home, claude, indexed):
        values = [None, True, 0, -1, 1.5, 2**70, "", "x", [], {}, [[]], {"x": {}}]
        number = 10

        def changed(record, path, value):
            if not path:
                return value
            return {**record, path[0]: changed(record[path[0]], path[1:], value)}

        def paths(record, path=()):
            for key, value in record.items():
                yield (*path, key)
                if isinstance(value, dict):
                    yield from paths(value, (*path, key))

        records = []
        sample = claude.answer(5)
        for path in paths(sample):
            for value in values:
                records += [changed(sample, path, value), claude.answer(number, "good")]
                number += 1
        home.claude("file", *records)
        found = indexed()
        found.update()
        assert found.requests()["good"] == number - 10

    @pytest.mark.parametrize("megabytes", [50])
    def test_a_line_of_many_megabytes_is_counted_in_bounded_memory(
        self, home, claude, indexed, megabytes
    ):
        path = home.claude("a", claude.answer(1))
        with path.open("ab") as file:
            file.write(b'{"type":"user","message":{"content":"')
            for _ in range(megabytes):
                file.write(b"x" * (1 << 20))
            file.write(b'"}}\n')
        home.append(path, claude.answer(2))
        found = indexed()
        tracemalloc.start()
        try:
            session = found.update()["a"]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found.requests() == {"a": 2}
        assert notes(session) == ["Lines of the transcript that can't be read: 1"]
        assert peak < 110 << 20

    def test_what_follows_a_line_that_is_too_long_is_read_once(self, home, claude, fed, indexed):
        path = home.claude("a", b"x" * (40 << 20) + b"\n", claude.answer(1))
        found = indexed()
        found.update()
        fed.taken()
        home.append(path, claude.answer(2))
        found.update()
        assert fed.taken() < 1000
        assert found.requests() == {"a": 2}

    def test_encodings_may_be_mixed(self, home, claude, indexed):
        said = claude.record("user", message={"content": "naïve"})
        latin = home.claude("x", said).read_bytes().replace(b"\\u00ef", b"\xef")
        home.claude("x", b"\xef\xbb\xbf", claude.answer(8))
        home.claude("a", claude.answer(1), latin, "{}".encode("utf-16") + b"\n", claude.answer(2))
        found = indexed()
        found.update()
        assert found.requests()["a"] == 2

    def test_a_loop_of_links_ends(self, home, claude, indexed):
        path = home.claude("p/a", claude.answer(1))
        (path.parent / "loop").symlink_to(home.projects)
        (path.parent / "self").symlink_to("self")
        (home.projects / "link.jsonl").symlink_to(path)
        found = indexed()
        found.update()
        assert found.requests() == {"a": 1}

    def test_ten_thousand_empty_files_are_looked_at_once(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        for number in range(10_000):
            (home.projects / f"e{number}.jsonl").touch()
        found = indexed()
        found.update()
        assert found.requests() == {"a": 1}
        before = found.machine.version()
        found.update()
        assert found.machine.version() == before

    def test_paths_may_be_long(self, home, claude, indexed):
        home.claude("/".join(["x" * 100] * 5 + ["a"]), claude.answer(1))
        found = indexed()
        found.update()
        assert found.requests() == {"a": 1}

    def test_names_need_not_be_unicode(self, home, claude, indexed):
        record = claude.answer(1)
        del record["sessionId"]
        path = home.write(home.projects / os.fsdecode(b"\xff.jsonl"), record, claude.answer(2))
        found = indexed()
        found.update()
        found.update()
        assert sum(found.requests().values()) == 2
        assert found.sessions()["a"].path == str(path)
        path.unlink()
        assert notes(found.update()["a"]) == [DELETED]

    def test_a_pipe_in_the_place_of_a_transcript_is_not_waited_for(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        path.unlink()
        os.mkfifo(path)
        found.update([str(path)])
        found.update()
        assert found.requests() == {"a": 1}

    def test_a_folder_in_the_place_of_a_transcript_is_none(self, home, claude, indexed):
        path = home.claude("a", claude.answer(1))
        found = indexed()
        found.update()
        path.unlink()
        path.mkdir()
        home.claude("b", claude.answer(2, "b"))
        found.update()
        assert found.requests() == {"a": 1, "b": 1}

    def test_a_file_that_may_not_be_read_is_said_once_and_read_when_it_may(
        self, open_folder, claude, as_no_one, indexed, home
    ):
        source = type(indexed().sources[0])(open_folder)
        path = home.write(open_folder / ".claude" / "projects" / "a.jsonl", claude.answer(1))
        found = indexed(memory=True, source=source)
        found.update()
        home.append(path, claude.answer(2))
        path.chmod(0)
        with as_no_one():
            found.update()
            (skipped,) = found.problems()
            assert skipped.path == str(path)
            assert skipped.problem.message == "The file may not be read: permission denied"
            before = found.machine.version()
            found.update()
            assert found.machine.version() == before
        assert found.requests() == {"a": 1}
        path.chmod(0o644)
        found.update()
        assert found.problems() == []
        assert found.requests() == {"a": 2}

    def test_a_folder_that_may_not_be_looked_into_is_no_deletion(
        self, open_folder, claude, as_no_one, indexed, home
    ):
        source = type(indexed().sources[0])(open_folder)
        path = home.write(open_folder / ".claude" / "projects" / "p" / "a.jsonl", claude.answer(1))
        found = indexed(memory=True, source=source)
        found.update()
        path.parent.chmod(0)
        with as_no_one():
            assert DELETED not in notes(found.update()["a"])
            before = found.machine.version()
            found.update()
            assert found.machine.version() == before
        path.parent.chmod(0o755)
        assert notes(found.update()["a"]) == []
        assert found.problems() == []


class TestPrices:
    def test_other_prices_price_all_sessions_anew(self, home, claude, indexed):
        a = home.claude("a", claude.answer(1))
        home.claude("b", claude.answer(2, "b"))
        found = indexed()
        assert found.update()["a"].cost == pytest.approx(110e-6)
        a.unlink()
        found.update()
        dearer = indexed(key="2", m=2.0)
        costs = [session.cost for session in dearer.update().values()]
        assert costs == pytest.approx([220e-6, 220e-6])

    def test_also_those_of_sources_that_are_asked_for_later(self, home, claude, codex, indexed):
        home.claude("a", claude.answer(1))
        home.codex("t", codex.meta("t"), codex.turn(), codex.tokens(1, 100, 10))
        indexed().update()
        dearer = indexed(key="2", m=2.0)
        dearer.update(sources=dearer.sources[:1])
        assert dearer.sessions()["a"].cost == pytest.approx(220e-6)
        dearer.update()
        assert dearer.sessions()["t"].cost == pytest.approx(220e-6)

    def test_the_same_prices_price_nothing(self, home, claude, indexed):
        home.claude("a", claude.answer(1))
        indexed().update()
        other = indexed(m=5.0)
        before = other.machine.version()
        assert other.update()["a"].cost == pytest.approx(110e-6)
        assert other.machine.version() == before

    def test_requests_without_a_price_are_counted(self, home, claude, indexed):
        home.claude("a", claude.answer(1), claude.answer(2, model="unheard-of"))
        session = indexed().update()["a"]
        assert {usage.name: usage.money.unpriced for usage in session.models} == {
            "m": 0,
            "unheard-of": 1,
        }
        assert session.models[1].cost is None
        assert session.cost == pytest.approx(110e-6)


def test_a_session_lies_in_its_folder_and_those_above(home, claude, indexed):
    for name, cwd in [("a", "/w/proj"), ("b", "/w/proj/sub"), ("c", "/w/proj2"), ("d", "/")]:
        home.claude(name, claude.answer(1, name, cwd=cwd))
    found = indexed()
    found.update()

    def within(*folders):
        return sorted(one.id for one in found.entries("claude-code", folders=folders))

    assert within("/w/proj") == ["a", "b"]
    assert within("/w/proj/sub", "/w/proj2") == ["b", "c"]
    assert within("/w") == ["a", "b", "c"]
    assert within("/") == ["a", "b", "c", "d"]
    assert within("/w/pro") == []
    assert found.entries("codex", folders=("/w",)) == []


def test_a_rebuilt_index_reads_all_and_keeps_what_is_gone(home, claude, fed, indexed):
    home.claude("a", claude.answer(1))
    gone = home.claude("b", claude.answer(2, "b"))
    found = indexed()
    found.update()
    gone.unlink()
    found.update()
    fed.taken()
    found.machine.rebuild()
    sessions = found.update()
    assert fed.taken() == (home.projects / "a.jsonl").stat().st_size
    assert notes(sessions["b"]) == [DELETED]
    assert found.requests() == {"a": 1, "b": 1}


_NAMES = ("a", "b", "c")
_CHANGES = ["append", "append", "append", "unended", "tear", "truncate", "rewrite", "update"]


class Story:
    """Changes of the files of three sessions, drawn one after the other."""

    def __init__(self, home, claude, data, kinds, *, copies):
        self._home = home
        self._claude = claude
        self._data = data
        self._kinds = st.sampled_from(kinds)
        self._copies = copies
        self._moment = 0
        for path in self.paths().values():
            path.unlink(missing_ok=True)

    def paths(self):
        return {name: self._home.projects / f"{name}.jsonl" for name in _NAMES}

    def records(self, name):
        """Some answers, of which a few were written before or, as copies, in other sessions."""
        first = 0 if self._copies else 100 * (1 + _NAMES.index(name))
        numbers = st.lists(st.integers(first, first + 20), min_size=1, max_size=4)
        for number in self._data.draw(numbers):
            self._moment += 1
            output = self._data.draw(st.integers(0, 3))
            yield self._claude.answer(number, name, at=self._moment, output=output)

    def goes_on(self, found):
        kind = self._data.draw(self._kinds)
        name = self._data.draw(st.sampled_from(_NAMES))
        path = self.paths()[name]
        if kind == "update":
            found.update()
        elif kind == "rewrite" or (kind == "append" and not path.exists()):
            self._home.claude(name, *self.records(name))
        elif kind == "append":
            self._home.append(path, *self.records(name))
        elif kind == "unended" and path.exists():
            self._home.append(path, *self.records(name))
            os.truncate(path, path.stat().st_size - 1)
        elif kind == "tear" and path.exists():
            self._home.append(path, b'{"type": "assis')
        elif kind == "truncate" and path.exists():
            os.truncate(path, path.stat().st_size * self._data.draw(st.integers(0, 9)) // 10)
        elif kind == "delete":
            path.unlink(missing_ok=True)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), steps=st.integers(1, 25))
def test_however_files_change_the_index_is_as_one_made_at_the_end(
    home, claude, indexed, data, steps
):
    story = Story(home, claude, data, _CHANGES, copies=True)
    found = indexed(memory=True)
    for _ in range(steps):
        story.goes_on(found)
    assert found.update() == indexed(memory=True).update()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), steps=st.integers(1, 25))
def test_a_session_whose_file_is_there_is_as_if_none_had_been_deleted(
    home, claude, indexed, data, steps
):
    story = Story(home, claude, data, [*_CHANGES, "delete"], copies=False)
    found = indexed(memory=True)
    for _ in range(steps):
        story.goes_on(found)
    sessions = found.update()
    fresh = indexed(memory=True).update()
    assert {name: sessions[name] for name in fresh} == fresh
    for name in sessions.keys() - fresh.keys():
        assert DELETED in notes(sessions[name])
