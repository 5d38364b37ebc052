"""Intake: whose an entry is, which of its files are taken, and a clear reason for each that is
not.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from submitting import GOOD, K06, K07, TAKEN, a_tar, a_zip, folder, reasons, submissions, the_only

from dojo import ROOT
from dojo.grade.intake import IntakeError, bounds, folders, scan
from dojo.grade.text import line, plain


@pytest.fixture
def katas(catalog):
    return [catalog.find("k06"), catalog.find("k07")]


def test_submissions_come_in_the_order_of_their_ids_and_are_read_when_asked_for(tmp_path, katas):
    for name in "bca":
        folder(tmp_path / name)
    several = submissions(tmp_path, katas)
    assert next(several).id == "a"
    (tmp_path / "b" / "katas" / f"{K06}.py").write_bytes(b"later")
    assert next(several).files[K06] == b"later"
    assert [one.id for one in several] == ["c"]


def test_a_folder_that_can_not_hold_submissions_is_told(tmp_path, katas):
    with pytest.raises(IntakeError, match="there is no such folder"):
        scan(tmp_path / "none", katas)
    with pytest.raises(IntakeError, match="holds no submission"):
        scan(tmp_path, katas)
    (tmp_path / f"{K06}.py").write_bytes(b"x")
    with pytest.raises(IntakeError, match="looks like one submission"):
        scan(tmp_path, katas)
    with pytest.raises(IntakeError, match="is not a folder"):
        scan(tmp_path / f"{K06}.py", katas)


@pytest.mark.parametrize("prefix", ["", "katas/", "./", "jane-homework/katas/", "a/b/c/"])
def test_katas_are_found_with_and_without_enclosing_folders(tmp_path, catalog, prefix):
    files = {f"{prefix}{name}.py": data for name, data in TAKEN.items()}
    for path, make in (("f", folder), ("z.zip", a_zip), ("t.tgz", a_tar)):
        where = tmp_path / path.partition(".")[0] / "in"
        where.mkdir(parents=True)
        make(where / path, files)
        taken = the_only(where, catalog)
        assert (taken.files, taken.problem, taken.ignored) == (TAKEN, "", ())


def test_the_copy_in_katas_is_taken_and_the_others_are_named(tmp_path, catalog):
    more = {
        f"reference/{K06}.py": b"r",
        f"{K06}.py": b"t",
        f"old/katas/{K06}.py": b"o",
        f"reference/exams/{K07}.py": b"r",
    }
    folder(tmp_path / "doe", GOOD | more)
    taken = the_only(tmp_path, catalog)
    assert taken.files == TAKEN
    assert reasons(taken) == {
        f"{K06}.py": f"a second copy: katas/{K06}.py was taken",
        f"old/katas/{K06}.py": f"a second copy: katas/{K06}.py was taken",
        f"reference/{K06}.py": "lies in reference/, where the solutions are",
        f"reference/exams/{K07}.py": "lies in reference/, where the solutions are",
    }


@pytest.mark.parametrize("places", [("a", "b"), ("", "old"), ("a/katas", "b/katas")])
def test_of_copies_that_nothing_tells_apart_none_is_taken(tmp_path, catalog, places):
    folder(
        tmp_path / "doe",
        {f"{place}/{K06}.py".lstrip("/"): b"x" for place in places} | {f"{K07}.py": b"y"},
    )
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"y"}
    assert len(taken.ignored) == 2
    assert all("one of 2 copies" in one.reason for one in taken.ignored)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("K06_Logistic_Regression.PY", f"has to be named {K06}.py"),
        (f"{K06} (1).py", f"has to be named {K06}.py"),
        (f"Copy of {K06}.py", f"has to be named {K06}.py"),
        (f"{K06}.py.txt", f"has to be named {K06}.py"),
        ("ｋ06_logistic_regression.py", f"has to be named {K06}.py"),
        (f"._{K06}.py", "what macOS notes about a file"),
        (f"__MACOSX/._{K06}.py", "a folder that is not looked into"),
        (f".git/{K06}.py", "a folder that is not looked into"),
        (f"k/venv/{K06}.py", "a folder that is not looked into"),
        ("k01_tensors.py", "no kata that is graded here"),
        ("conftest.py", "not a kata's file"),
        ("katas.zip", "an archive inside: it is not unpacked"),
        (f"{'d/' * 13}{K06}.py", "lies deeper than 12 folders"),
    ],
)
def test_other_files_are_not_taken_and_the_reason_is_clear(tmp_path, catalog, name, reason):
    folder(tmp_path / "f" / "doe", {name: b"x", **GOOD})
    (tmp_path / "z").mkdir()
    a_zip(tmp_path / "z" / "doe.zip", {name: b"x", **GOOD})
    for kind in "fz":
        taken = the_only(tmp_path / kind, catalog)
        assert taken.files == TAKEN
        assert [one.reason for one in taken.ignored] == [reason]


def test_many_other_files_do_not_fill_the_record(tmp_path, catalog):
    clone = {f"repo/tests/test_{number}.py": b"" for number in range(40)} | {"repo/README.md": b""}
    several = {f"repo/tools/{number}/x.txt": b"" for number in range(300)}
    folder(tmp_path / "doe", GOOD | clone | several)
    ignored = reasons(the_only(tmp_path, catalog))
    assert ignored["repo/tests/"] == "40 files that are no kata's"
    assert len(ignored) == 101
    assert ignored["(and others)"] == "202 more that are not listed here"


def test_a_file_that_is_not_utf8_is_still_taken(tmp_path, catalog):
    folder(tmp_path / "doe", {f"{K06}.py": b"\xff\xfe\x00"})
    assert the_only(tmp_path, catalog).files == {K06: b"\xff\xfe\x00"}


def test_names_in_another_encoding_do_not_disturb(tmp_path, catalog):
    folder(tmp_path / os.fsdecode(b"j\xf6rg"), {f"{K06}.py": b"x", os.fsdecode(b"\xff.txt"): b"x"})
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K06: b"x"}
    assert (taken.id[:5], taken.entry, taken.ignored[0].name) == (
        "j_rg~",
        "j\ufffdrg",
        "\ufffd.txt",
    )
    assert taken.entry.encode()


def test_links_are_not_followed_wherever_they_are(tmp_path, catalog, katas):
    outside = folder(tmp_path / "outside")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(outside)
    (tmp_path / "in" / "single_1_k07_hidden_layer.py").symlink_to(outside / "katas" / f"{K07}.py")
    doe = folder(tmp_path / "in" / "doe", {f"{K06}.py": b"own"})
    (doe / "katas").symlink_to(outside / "katas")
    (doe / f"{K07}.py").symlink_to(outside / "katas" / f"{K07}.py")
    found = {one.id: one for one in submissions(tmp_path / "in", katas)}
    assert found["doe"].files == {K06: b"own"}
    assert reasons(found["doe"]) == dict.fromkeys(
        ("katas", f"{K07}.py"), "is a link: links are not followed"
    )
    for other in ("linked", "single_1_k07_hidden_layer.py"):
        assert found[other].problem == "This submission is a link: links are not followed."


def test_a_folder_that_becomes_a_link_before_it_is_read_leads_nowhere(tmp_path):
    outside = folder(tmp_path / "outside")
    doe = folder(tmp_path / "doe")
    with folders.Tree(doe) as tree:
        first, second = tree.members()
        (doe / "katas").rename(doe / "before")
        (doe / "katas").symlink_to(outside / "katas")
        for member in (first, second):
            with pytest.raises(bounds.Refused, match="is a link"):
                member.load()


@pytest.mark.timeout(20)
def test_a_file_that_becomes_a_pipe_before_it_is_read_is_not_waited_for(tmp_path):
    doe = folder(tmp_path / "doe", {f"{K06}.py": b"x"})
    with folders.Tree(doe) as tree:
        (member,) = tree.members()
        (doe / f"{K06}.py").unlink()
        os.mkfifo(doe / f"{K06}.py")
        with pytest.raises(bounds.Refused, match="it is not opened"):
            member.load()


def test_pipes_sockets_and_devices_are_not_opened(tmp_path, catalog, katas):
    doe = folder(tmp_path / "doe")
    os.mkfifo(doe / "katas" / "pipe")
    (doe / "other").mkdir()
    os.mkfifo(doe / "other" / f"{K06}.py")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(doe / "s"))
        taken = the_only(tmp_path, catalog)
    assert taken.files == TAKEN
    assert set(reasons(taken)) == {"katas/pipe", f"other/{K06}.py", "s"}
    assert all("it is not opened" in one.reason for one in taken.ignored)
    os.mkfifo(tmp_path / "x.zip")
    assert "is not opened" in list(submissions(tmp_path, katas))[-1].problem


def test_what_may_not_be_read_is_told(tmp_path, catalog, monkeypatch):
    folder(tmp_path / "doe")
    really = os.open

    def refuse(path, flags, *rest, **named):
        if str(path).endswith(f"{K06}.py"):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: TAKEN[K07]}
    assert reasons(taken) == {f"katas/{K06}.py": "can't be read (Permission denied)"}


def test_a_file_that_is_written_while_it_is_read_is_not_taken(tmp_path, catalog, monkeypatch):
    path = folder(tmp_path / "doe") / "katas" / f"{K06}.py"
    really = folders.bounded

    def slowly(file):
        data = really(file)
        if data == TAKEN[K06]:
            path.write_bytes(b"longer than before")
        return data

    monkeypatch.setattr(folders, "bounded", slowly)
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: TAKEN[K07]}
    assert "changed while it was read" in reasons(taken)[f"katas/{K06}.py"]


def test_a_large_file_and_a_crowded_folder_are_refused(tmp_path, catalog, monkeypatch):
    doe = folder(tmp_path / "doe")
    (doe / "katas" / f"{K06}.py").write_bytes(b"#" * (bounds.FILE_BYTES + 1))
    assert reasons(the_only(tmp_path, catalog)) == {f"katas/{K06}.py": "is larger than 1 MiB"}
    monkeypatch.setattr(bounds, "MEMBERS", 20)
    folder(doe, {f"{number}.txt": b"" for number in range(20)})
    assert (
        the_only(tmp_path, catalog).problem == "This submission has more than 20 files and folders."
    )


def test_an_archive_in_the_folder_of_a_student_is_read_as_moodle_delivers_it(tmp_path, catalog):
    doe = folder(tmp_path / "Jane Doe_12345_assignsubmission_file_", {"readme.txt": b""})
    a_zip(doe / "katas.zip", GOOD | {"notes.txt": b""})
    taken = the_only(tmp_path, catalog)
    assert (taken.id, taken.files, taken.problem) == ("12345", TAKEN, "")
    assert reasons(taken) == {
        "katas.zip: notes.txt": "not a kata's file",
        "readme.txt": "not a kata's file",
    }
    a_zip(doe / "katas (1).zip")
    unclear = the_only(tmp_path, catalog)
    assert unclear.problem.startswith("This folder has no kata's file that could be taken")
    assert reasons(unclear)["katas (1).zip"] == "an archive inside: it is not unpacked"


def test_an_empty_folder_is_told(tmp_path, catalog):
    (tmp_path / "doe").mkdir()
    assert the_only(tmp_path, catalog).problem == "This folder is empty."


def test_nothing_is_written_to_the_submissions(tmp_path, catalog):
    folder(tmp_path / "in" / "doe")
    a_zip(tmp_path / "in" / "roe.zip", {"../../out.py": b"x"} | GOOD)
    before = sorted(tmp_path.rglob("*"))
    list(submissions(tmp_path / "in", [catalog.find("k06")]))
    assert sorted(tmp_path.rglob("*")) == before


def test_text_of_others_can_not_move_the_cursor_or_turn_a_line(tmp_path):
    assert plain("a\x1b[31mb\u202ec\r\nd\te\u2028f\x00\u200b\U000e0041") == "a[31mbc\nd    e\nf"
    assert line("a\nb\x07" + "c" * 200).startswith("a bccc") and len(line("c" * 200)) == 120
    assert plain("x" * 30, most=10) == "x" * 10 + " ... (20 more characters left out)"
    plain("\ud800\udcff").encode()
    assert line("caf\udce9") == "caf\ufffd" and line("a\udc80\udd00b") == "ab"


def test_a_download_with_a_browsers_number_counts_where_it_is_the_only_one(tmp_path, catalog):
    only, more = f"{K06} (1).py", f"{K07} (2).py"
    folder(tmp_path / "doe", {only: b"six", f"{K07}.py": b"seven", more: b"other"})
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K06: b"six", K07: b"seven"}
    assert reasons(taken) == {more: f"has to be named {K07}.py"}
    folder(tmp_path / "doe", {f"{K06}(2).py": b"which?"})
    assert the_only(tmp_path, catalog).files == {K07: b"seven"}


def test_no_entry_keeps_the_others_from_being_read(tmp_path, katas, monkeypatch):
    for name in ("bad", "good"):
        folder(tmp_path / name)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "pair").symlink_to("other")
    (tmp_path / "other").symlink_to("pair")
    (tmp_path / "fifo").mkdir()
    os.mkfifo(tmp_path / "fifo" / f"{K06}.py")
    of_tree = folders.Tree.members

    def members(tree):
        if tree._path.name == "bad":
            raise RecursionError
        return of_tree(tree)

    monkeypatch.setattr(folders.Tree, "members", members)
    intake = scan(tmp_path, katas, skip=tmp_path / "grades")
    read = {entry.id: intake.read(entry) for entry in intake.entries}
    assert read.keys() == {"bad", "fifo", "good", "loop", "other", "pair"}
    assert [name for name, one in read.items() if not one.problem] == ["good"]


def test_what_goes_wrong_beside_reading_is_the_fault_of_one_entry(tmp_path, katas, monkeypatch):
    folder(tmp_path / "doe")
    monkeypatch.setattr("dojo.grade.intake.notes.notes", lambda *_: 1 / 0)
    intake = scan(tmp_path, katas)
    (entry,) = intake.entries
    assert "can't be read (ZeroDivisionError)" in intake.read(entry).problem


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs a user without rights")
def test_a_folder_that_may_not_be_read_is_an_entry_like_others():
    """As an ordinary user: root may read everything."""
    place = Path(tempfile.mkdtemp())
    folder(place / "good")
    (place / "closed").mkdir()
    for each in (place, *place.rglob("*")):
        each.chmod(0o755)
    (place / "closed").chmod(0)
    program = (
        "import os, pathlib, sys\n"
        "from dojo import catalog\n"
        "from dojo.grade.intake import scan\n"
        "katas = catalog.load().katas\n"
        "os.getuid() or os.setuid(65534)\n"
        "found = scan(pathlib.Path(sys.argv[1]), katas)\n"
        "print({entry.id: found.read(entry).problem for entry in found.entries})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, place],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tools")},
        check=False,
    )
    (place / "closed").chmod(0o755)
    shutil.rmtree(place)
    assert done.stdout == (
        "{'closed': \"This submission can't be read (Permission denied).\", 'good': ''}\n"
    ), done.stderr
