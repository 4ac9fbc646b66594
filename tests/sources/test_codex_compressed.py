"""Codex's transcripts that are compressed: they count as they did before."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import figures
from rad_lsp.sources.codex import Codex
from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope
from tests.sources.parsed import encoded, only, requests

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CASES = Path(__file__).parents[1] / "data" / "cases"
THREAD = "019a0000-0000-7000-8000-00000000000a"
NAME = f"rollout-2026-03-02T12-00-00-{THREAD}.jsonl"


def line(second, kind, **payload):
    return {"timestamp": f"2026-03-02T12:00:{second:02}Z", "type": kind, "payload": payload}


def used(tokens):
    return {"input_tokens": tokens, "output_tokens": tokens // 10}


def count(second, total, last):
    info = {"total_token_usage": used(total), "last_token_usage": used(last)}
    return line(second, "event_msg", type="token_count", info=info)


LINES = (
    line(0, "session_meta", id=THREAD, cwd="/work/app"),
    line(1, "turn_context", model="gpt-5"),
    count(2, 100, 100),
    line(3, "token_usage_record", thread_id=THREAD, response_id="r", usage=used(200)),
    count(3, 300, 200),
    line(4, "response_item", type="function_call", name="shell", call_id="a", arguments="{}"),
    line(6, "response_item", type="function_call_output", call_id="a", output="Exit code: 0"),
)
TEXT = encoded(*LINES)
COUNTED = [(100, 0, 10), (200, 0, 20)]


@pytest.fixture
def read():
    """Reads a transcript's bytes."""

    def fed(data, name=f"{NAME}.zst"):
        parser = Codex({}, Path("nowhere")).parser(name)
        parser.feed(data)
        return parser

    return fed


class Sessions:
    """A home folder's sessions of Codex, and the index that knows them."""

    def __init__(self, home, data):
        self.sessions = home / ".codex" / "sessions" / "2026" / "03" / "02"
        self.archive = home / ".codex" / "archived_sessions"
        for folder in (self.sessions, self.archive):
            folder.mkdir(parents=True)
        self._machine = Machine({}, home, data)

    def close(self):
        self._machine.close()

    def write(self, data=TEXT, folder=None, name=NAME):
        path = (folder or self.sessions) / name
        path.write_bytes(data)
        return path

    def read(self):
        """What each session comes to, with its notes."""
        self._machine.guarded(lambda: self._machine.update(self._machine.agents(["codex"])))
        connection = self._machine.index.connection
        found = [
            one.session for one in query.entries(connection, Scope(frozenset({"codex"})), None)
        ]
        return [
            (
                session.id,
                sum(usage.requests for usage in session.models),
                figures.input_tokens(session),
                figures.output_tokens(session),
                session.tool_calls,
                [problem.message for problem in session.problems],
            )
            for session in found
        ]

    def skipped(self):
        """Why lines could not be read."""
        lines = query.skipped_lines(self._machine.index.connection)
        return [one.reason for _, _, first in lines for one in first]


@pytest.fixture
def home(tmp_path):
    with contextlib.closing(Sessions(tmp_path / "home", tmp_path / "data")) as sessions:
        yield sessions


RIGHT = (THREAD, 2, 300, 30, 1, [])


# What is read


def test_a_compressed_transcript_is_read_as_the_plain_one_is(read):
    plain, compressed = read(TEXT, NAME), read(zstd.compress(TEXT))
    assert requests(plain) == COUNTED
    assert compressed.requests == plain.requests
    assert (compressed.tools, compressed.facts) == (plain.tools, plain.facts)
    assert compressed.state() == plain.state()


def test_it_is_read_as_a_whole():
    source = Codex({}, Path("nowhere"))
    assert source.by_line(NAME)
    assert not source.by_line(f"{NAME}.zst")


def test_a_name_of_another_form_makes_no_difference_to_the_keys(read):
    plain, compressed = (
        read(TEXT, "rollout-x.jsonl"),
        read(zstd.compress(TEXT), "rollout-x.jsonl.zst"),
    )
    assert compressed.requests == plain.requests


def test_several_frames_are_one_text(read):
    cut = len(TEXT) // 2
    parser = read(zstd.compress(TEXT[:cut]) + zstd.compress(b"") + zstd.compress(TEXT[cut:]))
    assert (requests(parser), parser.progress.skipped) == (COUNTED, 0)


def test_a_last_line_without_a_line_feed_counts(read):
    assert only(read(zstd.compress(TEXT[:-1]))).end == only(read(TEXT, NAME)).end
    assert read(zstd.compress(TEXT + b'{"timesta')).progress.skipped == 1


def test_a_transcript_of_many_pieces_is_read_whole(read):
    long = line(7, "response_item", type="message", content=[{"text": "x" * 3_000_000}])
    many = [count(10 + n % 40, 300 + 10 * n, 10) for n in range(1, 20_001)]
    parser = read(zstd.compress(encoded(*LINES, long, *many)))
    assert (len(parser.requests), parser.progress.skipped) == (20_002, 0)
    assert parser.progress.lines == len(LINES) + 1 + len(many)


# What can't be read


def test_of_a_torn_transcript_the_beginning_counts_and_the_end_is_told(read):
    whole = zstd.compress(TEXT + encoded(*(count(9, 300 + n, 1) for n in range(9_000))))
    parser = read(whole[:-200])
    assert requests(parser)[:2] == COUNTED
    (skipped,) = parser.progress.first_skipped
    assert (skipped.line, skipped.reason) == (
        parser.progress.lines + 1,
        "The compressed data end too early",
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The compressed data end too early"),
        (b"\x28\xb5\x2f\xfd", "The compressed data end too early"),
        (TEXT, "The compressed data are damaged"),
        (zstd.compress(TEXT) + b"garbage", "The compressed data are damaged"),
    ],
    ids=["nothing", "torn", "not compressed", "more behind it"],
)
def test_what_is_no_whole_compressed_text_is_told(read, data, reason):
    (skipped,) = read(data).progress.first_skipped
    assert skipped.reason.startswith(reason)


@given(
    st.integers(0, len(zstd.compress(TEXT)) - 1).map(lambda cut: zstd.compress(TEXT)[:cut])
    | st.binary()
)
def test_no_bytes_stop_a_parser(data):
    parser = Codex({}, Path("nowhere")).parser(f"{NAME}.zst")
    parser.feed(data)
    assert parser.progress.skipped == 1


@given(st.integers(0, 8 * len(zstd.compress(TEXT)) - 1))
def test_no_damage_stops_a_parser(bit):
    data = bytearray(zstd.compress(TEXT))
    data[bit // 8] ^= 1 << bit % 8
    parser = Codex({}, Path("nowhere")).parser(f"{NAME}.zst")
    parser.feed(bytes(data))


@pytest.mark.parametrize("byte", [b"\0", b"\n"])
def test_few_bytes_that_stand_for_many_take_little_memory(read, byte):
    compressor = zstd.ZstdCompressor()
    piece = byte * (1 << 20)
    pieces = [compressor.compress(piece) for _ in range(256)]
    data = b"".join(pieces) + compressor.flush()
    tracemalloc.start()
    try:
        parser = read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(data) < 1 << 20
    assert peak < 160 << 20
    assert parser.progress.skipped == (byte == b"\0")


@pytest.mark.parametrize(
    "one",
    [b"{}\n", encoded(line(1, "token_usage_record", usage=used(10)))],
    ids=["unreadable", "requests"],
)
def test_of_too_many_lines_the_first_count_and_the_rest_is_told(read, one):
    parser = read(zstd.compress(TEXT + one * 400_000))
    assert requests(parser)[:2] == COUNTED
    assert parser.progress.lines < 400_000
    assert parser.progress.skipped >= 1


# What counts


def test_a_session_counts_the_same_before_during_and_after_it_is_compressed(home):
    plain = home.write()
    before = home.read()
    assert before == [RIGHT]
    compressed = home.write(zstd.compress(TEXT)[:-20], name=f"{NAME}.zst")  # not whole yet
    assert home.read() == before
    home.write(zstd.compress(TEXT), name=f"{NAME}.zst")
    assert home.read() == before
    plain.unlink()
    assert home.read() == before
    assert home.skipped() == []
    # The agent goes on with the session.
    home.write(TEXT + encoded(count(50, 350, 50)))
    compressed.unlink()
    assert home.read() == [(THREAD, 3, 350, 35, 1, [])]


def test_a_session_that_was_never_seen_before_counts(home):
    home.write(zstd.compress(TEXT), name=f"{NAME}.zst")
    assert home.read() == [RIGHT]
    assert home.read() == [RIGHT]


def test_one_of_two_compressed_files_that_changes_is_read_anew(home):
    home.write(zstd.compress(TEXT), name=f"{NAME}.zst")
    home.read()
    home.write(zstd.compress(TEXT + encoded(count(50, 350, 50))), name=f"{NAME}.zst")
    assert home.read() == [(THREAD, 3, 350, 35, 1, [])]


def test_the_copy_in_the_archive_counts_once(home):
    compressed = zstd.compress(TEXT)
    active = home.write(compressed, name=f"{NAME}.zst")
    home.write(folder=home.archive)
    assert home.read() == [RIGHT]
    home.write(compressed, home.archive, f"{NAME}.zst")
    assert home.read() == [RIGHT]
    active.unlink()
    (home.archive / NAME).unlink()
    assert home.read() == [RIGHT]


def test_what_a_torn_file_lacks_still_counts_by_what_was_read_before(home):
    plain = home.write()
    home.read()
    plain.unlink()
    pieces = encoded(*LINES[:3]), encoded(*LINES[3:])
    home.write(b"".join(map(zstd.compress, pieces))[:-20], name=f"{NAME}.zst")
    ((_, *counted, notes),) = home.read()
    assert counted[:3] == [2, 300, 30]
    assert notes == ["Lines of the transcript that can't be read: 1"]
    assert home.skipped() == ["The compressed data end too early"]


# Parents of forks


@pytest.mark.parametrize("first", ["parent", "fork"])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_fork_knows_its_compressed_parents_history(tmp_path, first, compressed):
    case = tmp_path / "case"
    shutil.copytree(CASES / "codex-replay-parent-zst" / "home", case)
    (parent,) = case.rglob("*.zst")
    (fork,) = case.rglob("*.jsonl")
    if not compressed:
        parent.with_suffix("").write_bytes(zstd.decompress(parent.read_bytes()))
        parent.unlink()
    source = Codex({}, case)
    paths = sorted(source.paths(), reverse=first == "fork")
    read = {}
    for path in paths:
        parser = source.parser(path)
        parser.feed(Path(path).read_bytes())
        read[path] = requests(parser)
    assert read[str(fork)] == [(10_000, 0, 100)]
    assert sorted(map(len, read.values())) == [1, 60]


def test_a_sub_agent_of_a_compressed_session_counts_with_it(tmp_path):
    home = tmp_path / ".codex" / "sessions"
    home.mkdir(parents=True)
    (home / f"{NAME}.zst").write_bytes(zstd.compress(TEXT))
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": THREAD}}}
    middle, child = f"{THREAD[:-1]}b", f"{THREAD[:-1]}c"
    between = encoded(line(0, "session_meta", id=middle, source=spawned))
    (home / f"{NAME.replace(THREAD, middle)}.zst").write_bytes(zstd.compress(between))
    origin = json.loads(json.dumps(spawned).replace(THREAD, middle))
    parser = Codex({}, tmp_path).parser(str(home / NAME.replace(THREAD, child)))
    parser.feed(encoded(line(0, "session_meta", id=child, source=origin)))
    assert only(parser).session_id == THREAD


def test_a_parent_that_is_compressed_meanwhile_is_found(tmp_path):
    home = tmp_path / ".codex" / "sessions"
    home.mkdir(parents=True)
    parent = home / NAME
    parent.write_bytes(TEXT)
    source = Codex({}, tmp_path)
    child = f"{THREAD[:-1]}c"
    path = home / NAME.replace(THREAD, child)
    meta = line(10, "session_meta", id=child, forked_from_id=THREAD)
    path.write_bytes(encoded(meta))
    assert len(list(source.paths())) == 2
    (home / f"{NAME}.zst").write_bytes(zstd.compress(TEXT))
    parent.unlink()
    parser = source.parser(str(path))
    parser.feed(encoded(meta, count(30, 100, 100), count(40, 300, 200), count(50, 350, 50)))
    assert requests(parser) == [(50, 0, 5)]
