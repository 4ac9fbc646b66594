"""Reports kept fresh: a refresh reads only what changed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from rad_lsp import service
from rad_lsp.core.errors import SessionUnreadable
from rad_lsp.core.problems import Problem
from rad_lsp.service import documents
from rad_lsp.sources import radium
from rad_lsp.sources.radium import Radium, ReportParser
from rad_lsp.store.store import Store


@pytest.fixture
def made(machine):
    """Makes stores of the reports of a workspace; each has an index of its own in memory."""
    return lambda root: Store(machine(None), root, ["radium"])


@pytest.fixture
def store(made, workspace):
    return made(workspace.root)


@pytest.fixture
def names_read(monkeypatch):
    """The names of the files read since the last call."""
    names = []
    parser = Radium.parser

    def noted(source, path, state=None):
        names.append(Path(path).name)
        return parser(source, path, state)

    def taken():
        taken = sorted(names)
        names.clear()
        return taken

    monkeypatch.setattr(Radium, "parser", noted)
    return taken


def ids(found):
    return [session.id for session in found.sessions()]


def test_before_the_first_refresh_there_is_nothing(store, workspace):
    workspace.add("a")
    assert store.snapshot.entries == ()


def test_a_refresh_reads_every_report(store, workspace):
    workspace.add("a")
    workspace.add("b")
    assert ids(store.refresh()) == ["a", "b"]
    assert store.snapshot is store.refresh()


def test_the_same_snapshot_comes_back_when_nothing_changed(store, workspace, names_read):
    workspace.add("a")
    workspace.raw("torn.json", b"{")
    (workspace.sessions / "broken.json").symlink_to("nowhere")
    (workspace.sessions / "folder.json").mkdir()
    first = store.refresh()
    names_read()
    assert store.refresh() is first
    assert names_read() == []


def test_only_a_report_that_changed_is_read_again(store, workspace, names_read):
    workspace.add("a")
    workspace.add("b")
    before = store.refresh()
    names_read()
    workspace.add("b", total_cost=7.0)
    after = store.refresh()
    assert names_read() == ["b.json"]
    assert [session.cost for session in after.sessions()] == [0.1275, 7.0]
    assert [session.cost for session in before.sessions()] == [0.1275, 0.1275]


def test_a_report_replaced_by_a_rename_is_read_again(store, workspace, report_bytes):
    path = workspace.add("a", total_cost=1.0)
    store.refresh()
    workspace.raw("a.tmp.1", report_bytes(session_id="a", total_cost=2.0)).replace(path)
    assert store.refresh().latest().cost == 2.0


def test_a_deleted_report_is_no_longer_counted(store, workspace, names_read):
    workspace.add("a")
    path = workspace.add("b")
    store.refresh()
    names_read()
    path.unlink()
    assert ids(store.refresh()) == ["a"]
    assert names_read() == []


def test_a_renamed_report_is_the_same_session_with_a_warning(store, workspace):
    path = workspace.add("a")
    store.refresh()
    path.rename(path.with_name("b.json"))
    (found,) = store.refresh().sessions()
    assert (found.id, Path(found.path).name) == ("a", "b.json")
    assert [problem.code for problem in found.problems] == ["id-mismatch"]


def test_a_deleted_duplicate_gives_way_to_the_other(store, workspace, report_bytes):
    workspace.add("a", total_cost=1.0)
    copy = workspace.raw(
        "copy.json",
        report_bytes(session_id="a", total_cost=2.0, generated_at="2026-01-01T00:00:00Z"),
    )
    assert store.refresh().latest().cost == 2.0
    copy.unlink()
    assert store.refresh().latest().cost == 1.0
    assert store.snapshot.skipped == ()


def test_a_mended_report_is_no_longer_skipped(store, workspace):
    workspace.raw("a.json", b"")
    assert [item.problem.code for item in store.refresh().skipped] == ["empty"]
    workspace.add("a")
    assert store.refresh().skipped == ()
    assert ids(store.snapshot) == ["a"]


def test_a_link_that_is_mended_is_read(store, workspace, report_bytes):
    (workspace.sessions / "a.json").symlink_to(workspace.root / "later")
    assert [item.problem.code for item in store.refresh().skipped] == ["unreadable"]
    (workspace.root / "later").write_bytes(report_bytes(session_id="a"))
    assert ids(store.refresh()) == ["a"]


@pytest.fixture
def others(tmp_path, report_bytes):
    """The folder of another project's reports, and the first of them."""
    folder = tmp_path / "others" / radium.FOLDER
    folder.mkdir(parents=True)
    report = folder / "theirs.json"
    report.write_bytes(report_bytes(session_id="theirs"))
    return report


def skipped(snapshot):
    return [(Path(one.path).name, one.problem.code) for one in snapshot.skipped]


def test_a_link_to_a_report_outside_the_workspace_is_skipped(store, workspace, others):
    workspace.add("ours")
    link = workspace.sessions / "link.json"
    link.symlink_to(others)
    for paths in (None, [str(link)], None):
        found = store.refresh(paths)
        assert (ids(found), skipped(found)) == (["ours"], [("link.json", "link")])
    assert "leads out of the workspace" in found.skipped[0].problem.message
    link.unlink()
    workspace.add("link")
    found = store.refresh()
    assert (sorted(ids(found)), skipped(found)) == (["link", "ours"], [])


def test_a_report_that_becomes_a_link_outside_no_longer_counts(store, workspace, others):
    report = workspace.add("ours")
    session = store.refresh().latest()
    report.rename(others.parent / "ours.json")
    report.symlink_to(others.parent / "ours.json")
    with pytest.raises(SessionUnreadable, match="leads out of the workspace"):
        service.stored(session)
    problem = documents.read_bytes(str(report))
    assert isinstance(problem, Problem)
    assert problem.code == "link"
    assert (ids(store.refresh()), skipped(store.snapshot)) == ([], [("ours.json", "link")])


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_folder_that_is_a_link_outside_is_skipped_as_a_whole(store, workspace, others, depth):
    workspace.add("theirs")
    assert ids(store.refresh()) == ["theirs"]
    below = Path(*radium.FOLDER.parts[:depth])
    shutil.rmtree(workspace.root / below)
    (workspace.root / below).symlink_to(others.parents[3] / below)
    for paths in (None, [str(workspace.sessions / "theirs.json")], None):
        found = store.refresh(paths)
        assert ids(found) == []
        assert ("sessions", "link") in skipped(found)
    (workspace.root / below).unlink()
    workspace.sessions.mkdir(parents=True)
    workspace.add("ours")
    assert (ids(store.refresh()), skipped(store.snapshot)) == (["ours"], [])


def test_links_within_the_workspace_are_followed(store, workspace):
    workspace.add("ours")
    (workspace.root / ".radium").rename(workspace.root / "kept")
    (workspace.root / ".radium").symlink_to("kept")
    assert (ids(store.refresh()), store.snapshot.skipped) == (["ours"], ())


def test_a_workspace_behind_a_link_has_its_reports(made, workspace, tmp_path):
    workspace.add("ours")
    (tmp_path / "link").symlink_to(workspace.root)
    found = made(tmp_path / "link").refresh()
    assert (ids(found), found.skipped) == (["ours"], ())


def test_the_open_buffer_of_a_link_outside_does_not_count(store, workspace, others):
    link = workspace.sessions / "link.json"
    link.symlink_to(others)
    store.refresh()
    store.edit(str(link), radium.parse(str(link), others.read_bytes()))
    assert ids(store.snapshot) == []


def test_a_folder_deleted_and_made_again(store, workspace):
    workspace.add("a")
    store.refresh()
    shutil.rmtree(workspace.root / ".radium")
    assert store.refresh().entries == ()
    workspace.sessions.mkdir(parents=True)
    workspace.add("b")
    assert ids(store.refresh()) == ["b"]


def test_a_report_that_goes_before_it_is_read_is_not_missed(store, workspace, monkeypatch):
    def vanish(_source, path):
        Path(path).unlink()
        return False

    workspace.add("a")
    monkeypatch.setattr(Radium, "by_line", vanish)
    found = store.refresh()
    assert (found.entries, found.skipped) == ((), ())


def test_a_report_replaced_while_it_is_read_is_read_again_next_time(store, workspace, monkeypatch):
    feed = ReportParser.feed

    def replaced(parser, data):
        feed(parser, data)
        if parser.report.cost == 1.0:
            workspace.add("a", total_cost=2.0)

    monkeypatch.setattr(ReportParser, "feed", replaced)
    workspace.add("a", total_cost=1.0)
    assert store.refresh().latest().cost == 1.0
    assert store.refresh().latest().cost == 2.0


def test_a_folder_that_cannot_be_read_is_skipped_and_said(store, workspace, monkeypatch):
    def closed(_source):
        raise PermissionError(13, "Permission denied")

    workspace.add("a")
    with monkeypatch.context() as patched:
        patched.setattr(Radium, "paths", closed)
        found = store.refresh()
        (skipped,) = found.skipped
        assert skipped.path == str(workspace.sessions)
        assert skipped.problem.message == "The folder can't be read: permission denied"
        assert store.refresh() is found
    assert ids(store.refresh()) == ["a"]
    assert store.snapshot.skipped == ()


def test_progress_tells_the_number_of_files_read(store, workspace):
    workspace.add("a")
    workspace.add("b")
    told = []
    store.refresh(progress=told.append)
    store.refresh(progress=told.append)
    workspace.add("a", total_cost=2.0)
    store.refresh(progress=told.append)
    assert told == [1, 2, 1]


def test_an_error_in_telling_progress_is_not_the_folders_fault(store, workspace):
    def broken(_read):
        raise BrokenPipeError(32, "Broken pipe")

    workspace.add("a")
    with pytest.raises(BrokenPipeError):
        store.refresh(progress=broken)


def test_the_golden_history_is_newest_first(made, golden):
    found = made(golden("history")).refresh()
    assert ids(found) == [
        "3c6ddcd3-85b6-48f1-88e1-f428ca458337",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    ]


def test_only_the_named_files_are_looked_at(store, workspace, names_read):
    a, b = workspace.add("a"), workspace.add("b")
    store.refresh()
    names_read()
    for name in "abc":
        workspace.add(name, total_cost=7.0)
    found = store.refresh([str(b), str(workspace.sessions / "c.json")])
    assert names_read() == ["b.json", "c.json"]
    assert [session.cost for session in found.sessions()] == [0.1275, 7.0, 7.0]
    a.unlink()
    assert ids(store.refresh([str(a)])) == ["b", "c"]


def test_named_files_that_did_not_change_give_the_same_snapshot(store, workspace):
    path = workspace.add("a")
    found = store.refresh()
    assert store.refresh([str(path)]) is found
    assert store.refresh([]) is found
    assert store.refresh([str(workspace.sessions / "gone.json")]).entries == found.entries


def test_a_named_file_elsewhere_is_none_of_ours(store, workspace, tmp_path, report_bytes):
    workspace.add("a")
    other = tmp_path / "b.json"
    other.write_bytes(report_bytes(session_id="b"))
    store.refresh()
    assert ids(store.refresh([str(other)])) == ["a"]


def test_an_open_buffer_wins_over_its_file(store, workspace, report_bytes):
    path = str(workspace.add("a", total_cost=1.0))
    store.refresh()
    edited = radium.parse(path, report_bytes(session_id="a", total_cost=2.0))
    assert store.edit(path, edited).latest().cost == 2.0
    workspace.add("a", total_cost=3.0)
    assert store.refresh().latest().cost == 2.0
    assert store.edit(path, None).latest().cost == 3.0


def test_while_a_buffer_is_broken_its_last_good_session_counts(store, workspace, report_bytes):
    path = str(workspace.add("a", total_cost=1.0))
    store.refresh()
    broken = radium.parse(path, b"{")
    assert store.edit(path, broken).latest().cost == 1.0
    store.edit(path, radium.parse(path, report_bytes(session_id="a", total_cost=2.0)))
    assert store.edit(path, broken).latest().cost == 2.0
    assert store.edit(path, None).latest().cost == 1.0


def test_a_broken_buffer_of_a_broken_file_is_skipped(store, workspace):
    path = str(workspace.raw("a.json", b""))
    store.refresh()
    assert [item.problem.code for item in store.edit(path, radium.parse(path, b"{")).skipped] == [
        "empty"
    ]


def test_closing_a_buffer_that_was_never_edited_changes_nothing(store, workspace):
    path = str(workspace.add("a"))
    before = store.refresh()
    assert store.edit(path, None).entries == before.entries


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are always Unicode here")
def test_a_name_that_is_no_text_is_read_and_printable(store, workspace, report_bytes):
    name = os.fsdecode(b"\xff.json")
    workspace.raw(name, report_bytes(session_id="a", generated_at="2026-01-01T00:00:00Z"))
    workspace.add("a")
    (session,) = store.refresh().sessions()
    (skipped,) = store.snapshot.skipped
    assert Path(session.path).name == name
    assert Path(skipped.path).name == "a.json"
    assert skipped.problem.message.isprintable()
