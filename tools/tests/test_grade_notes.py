"""What was left out of a submission and may be what should have been graded: no 0 without a word,
and no word without need.
"""

import time
import zipfile

import pytest
from submitting import GOOD, K06, K07, TAKEN, a_zip, folder, reasons, submissions, the_only

from dojo import ROOT
from dojo.grade.intake import bounds

pytest_plugins = ["judging"]
BOTH = f"{K06}.py", f"{K07}.py"


@pytest.mark.parametrize(
    "name",
    [
        "k06.py",
        "K06.PY",
        "k6.py",
        "kata06.py",
        "k06 solved.py",
        "k06_logistic_regresion.py",
        "k60_logistic_regression.py",
        "logistic_regression.py",
        "06_logistic_regression.py",
        "jane_k06.py",
        "Copy of k06-logistic-regression.py",
        "k06_logistic_regression.py.txt",
        "k06_logistic_regression",
        "k06.py.bak",
    ],
)
def test_a_near_miss_of_a_katas_name_is_noted(tmp_path, catalog, name):
    a_zip(tmp_path / "doe.zip", {f"hw/{name}": b"x", f"hw/{K07}.py": b"y"})
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"y"}
    assert taken.notes == (
        f"hw/{name} was not taken: is it meant as {K06}.py? Rename it and grade again.",
    )
    assert reasons(taken)[f"hw/{name}"] in (
        f"is it meant as {K06}.py? rename it",
        f"has to be named {K06}.py",
    )


@pytest.mark.parametrize(
    "name",
    [
        "k01_tensors.py",
        "k08_multi_hidden_layer.py",
        "k01.py",
        "k08 (1).py",
        "conftest.py",
        "mask06.py",
    ],
)
def test_other_katas_and_other_files_are_no_near_misses(tmp_path, catalog, name):
    folder(tmp_path / "doe", {name: b"x", f"{K07}.py": b"y"})
    assert the_only(tmp_path, catalog).notes == ()


def test_a_kata_in_another_form_or_packed_is_noted_where_nothing_was_taken_for_it(
    tmp_path, catalog
):
    other = {"k06.ipynb": b"x", "k06_plot.png": b"x", "rest.zip": b"x"}
    folder(tmp_path / "a" / "doe", other | {f"{K07}.py": b"y"})
    assert the_only(tmp_path / "a", catalog).notes == (
        (
            f"k06.ipynb and k06_plot.png were not taken: is one of them meant as {K06}.py? Only a"
            " Python file of that name is graded: ask for it."
        ),
        (
            "rest.zip was not taken: archives in a submission are not unpacked. Unpack it and grade"
            " again."
        ),
    )
    folder(tmp_path / "b" / "doe", other | GOOD)
    assert the_only(tmp_path / "b", catalog).notes == ()


def test_copies_that_nothing_tells_apart_are_noted(tmp_path, catalog):
    folder(
        tmp_path / "doe",
        {f"{place}{K06}.py": b"x" for place in ("", "old/", "a/", "b/")} | {f"{K07}.py": b"y"},
    )
    assert the_only(tmp_path, catalog).notes == (
        (
            f"{K06}.py, a/{K06}.py, b/{K06}.py and 1 more were not taken: nothing says which of"
            " them counts. Leave only the right one and grade again."
        ),
    )


@pytest.mark.parametrize(
    "name", [f"final/katas/{K06}.py", f"{K06}.py", f"katas/{K06} (1).py", "katas/k06.py"]
)
def test_what_lies_beside_the_file_that_was_taken_is_noted_unless_it_is_the_same(
    tmp_path, catalog, name
):
    folder(tmp_path / "a" / "doe", GOOD | {name: b"solved"})
    taken = the_only(tmp_path / "a", catalog)
    assert taken.files == TAKEN
    assert taken.notes == (
        (
            f"{name} was not taken, katas/{K06}.py was: if another one is meant, put it in its"
            " place and grade again."
        ),
    )
    folder(tmp_path / "b" / "doe", GOOD | {name: TAKEN[K06]})
    assert the_only(tmp_path / "b", catalog).notes == ()


@pytest.mark.parametrize(
    "name",
    [
        f"{K06}.py~",
        f"{K06}.py.bak",
        f"{K06}.py.backup-20261121-101500",
        f".{K06}.py.swp",
        "k06_plot.png",
        f"{K06}.md",
    ],
)
def test_leftovers_and_pictures_beside_the_file_that_was_taken_are_no_questions(
    tmp_path, catalog, name
):
    folder(tmp_path / "doe", GOOD | {f"katas/{name}": b"older"})
    taken = the_only(tmp_path, catalog)
    assert (taken.notes, reasons(taken)) == ((), {f"katas/{name}": "not a kata's file"})


def test_a_file_that_could_not_be_read_is_noted(tmp_path, catalog):
    doe = folder(tmp_path / "doe", {f"{K07}.py": b"y"})
    (doe / f"{K06}.py").symlink_to(doe / f"{K07}.py")
    assert the_only(tmp_path, catalog).notes == (
        f"{K06}.py was not taken: it is a link: links are not followed. Ask for {K06}.py again.",
    )
    a_zip(tmp_path / "roe.zip", {f"../{K06}.py": b"x", f"{K07}.py": b"y"})
    *_, roe = submissions(tmp_path, [catalog.find("k06"), catalog.find("k07")])
    assert roe.notes == (
        (
            f'../{K06}.py was not taken: it leads out of the submission (".."). Ask for {K06}.py'
            " again."
        ),
    )


def test_a_file_that_is_refused_is_not_read_to_compare_it(tmp_path, catalog):
    with zipfile.ZipFile(a_zip(tmp_path / "doe.zip"), "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr(f"../{K06}.py", TAKEN[K06])
    (note,) = the_only(tmp_path, catalog).notes
    assert note.startswith(f"../{K06}.py was not taken, katas/{K06}.py was: ")


def test_a_copy_of_a_file_that_could_not_be_read_is_not_said_to_be_one_of_what_was_taken(
    tmp_path, catalog
):
    doe = folder(tmp_path / "doe", GOOD | {f"{K06}.py": b"x"})
    (doe / "katas" / f"{K06}.py").write_bytes(b"#" * (bounds.FILE_BYTES + 1))
    doe = the_only(tmp_path, catalog)
    assert doe.files == {K07: TAKEN[K07]}
    assert doe.notes == (
        (
            f"{K06}.py was not taken: a second copy: katas/{K06}.py counts, and could not be taken."
            " Leave only the right one and grade again."
        ),
        f"katas/{K06}.py was not taken: it is larger than 1 MiB. Ask for {K06}.py again.",
    )


@pytest.mark.timeout(60)
def test_ten_thousand_copies_are_told_in_seconds(tmp_path, catalog):
    a_zip(
        tmp_path / "doe.zip",
        {f"{number}/{K06}.py": b"%d" % number for number in range(9_999)}
        | {f"katas/{K06}.py": b"x"},
    )
    begun = time.process_time()
    taken = the_only(tmp_path, catalog)
    assert time.process_time() - begun < 15
    assert taken.files == {K06: b"x"} and "and 9996 more were not taken" in taken.notes[0]


def test_a_clone_of_the_whole_project_needs_no_note(tmp_path, catalog):
    places = [
        path.relative_to(ROOT)
        for top in ("katas", "reference", "tests", "tools")
        for path in (ROOT / top).rglob("*.*")
    ]
    files = {
        f"hw-jane/{place.as_posix()}": str(place).encode()
        for place in places
        if (ROOT / place).is_file()
    }
    assert f"hw-jane/tests/test_{K06}.py" in files and f"hw-jane/reference/exams/{K06}.py" in files
    a_zip(tmp_path / "jane.zip", files)
    (jane,) = submissions(tmp_path, catalog.katas)
    assert (len(jane.files), jane.notes, jane.problem) == (len(catalog.katas), (), "")


def test_the_archive_that_is_read_is_not_noted_and_what_lies_beside_it_is(tmp_path, catalog):
    doe = folder(tmp_path / "doe", {"k07.py": b"x"})
    a_zip(doe / "k06.zip", {f"{K06}.py": b"x"})
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K06: b"x"}
    assert taken.notes == (
        f"k07.py was not taken: is it meant as {K07}.py? Rename it and grade again.",
    )


def test_single_files_of_canvas_under_other_names_are_noted(tmp_path, catalog):
    for name in (
        "doe_12_345_k06.py",
        f"doe_12_346_{K07}.py",
        "roe_13_347_k06.py",
        "poe_14_348_k06.pdf",
        "zoe_15_349_k06.rar",
    ):
        (tmp_path / name).write_bytes(b"x")
    found = {
        one.id: one for one in submissions(tmp_path, [catalog.find("k06"), catalog.find("k07")])
    }
    assert found["12"].files == {K07: b"x"} and not found["12"].problem
    for student, name in (("12", "doe_12_345_k06.py"), ("13", "roe_13_347_k06.py")):
        assert found[student].notes == (
            f"{name} was not taken: is it meant as {K06}.py? Rename it and grade again.",
        )
        assert reasons(found[student]) == {name: f"is it meant as {K06}.py? rename it"}
    assert "Only a Python file of that name is graded" in found["14"].notes[0]
    assert found["15"].problem and not found["15"].notes


def test_other_katas_than_those_that_are_graded_are_not_called_unreadable(tmp_path, catalog):
    folder(
        tmp_path / "doe", {"katas/k01_tensors.py": b"x", "k02_devices.py": b"x", "README.md": b""}
    )
    doe = the_only(tmp_path, catalog)
    assert (doe.problem, dict(doe.files)) == ("", {})
    assert doe.notes == (
        "Nothing of this assignment was handed in. It holds k02_devices.py and k01_tensors.py.",
    )
    folder(tmp_path / "doe", {"k06.py": b"x"})
    doe = the_only(tmp_path, catalog)
    assert (
        doe.notes == (f"k06.py was not taken: is it meant as {K06}.py? Rename it and grade again.",)
        and not doe.problem
    )


def test_notes_are_few(tmp_path, catalog):
    folder(tmp_path / "doe", {f"{kata.short}.py": b"x" for kata in catalog.katas})
    (doe,) = submissions(tmp_path, catalog.katas)
    assert len(doe.notes) == 7
    assert doe.notes[-1] == f"And {len(catalog.katas) - 6} more such notes: see what was not taken."


def test_a_teacher_sees_it_in_the_table_the_summary_and_the_record(grade_command, tmp_path):
    place = tmp_path / "in"
    folder(place / "ann", {f"katas/{K06}.py": b"right"})
    folder(place / "ben", {f"katas/{K06} (1).py.txt": b"right"})
    folder(place / "cid", {"katas/k01_tensors.py": b"right"})
    code, out, _ = grade_command(place, "--out", tmp_path / "g", "--katas", "k06")
    assert (
        code == 0 and "see notes     ben, cid" in out and "unreadable    1 submission: ben" in out
    )
    table = (tmp_path / "g" / "grades.csv").read_text().splitlines()
    assert [row.split(",")[3] for row in table[1:]] == ["", "unreadable; see notes", "see notes"]
    assert "Rename it and grade again." in grade_command("show", "ben", "--out", tmp_path / "g")[1]
    _, out, _ = grade_command("show", "cid", "--out", tmp_path / "g")
    assert "see notes: Nothing of this assignment was handed in. It holds k01_tensors.py." in out
    assert "unreadable" not in out
