"""Whose an entry is: ids from the names that systems give, made safe, and told apart where they are
the same.
"""

import unicodedata

import pytest
from submitting import GOOD, K06, K07, TAKEN, a_zip, folder, reasons, submissions, the_only

from dojo.grade.intake import IntakeError, scan
from dojo.grade.intake.names import safe_id


@pytest.fixture
def katas(catalog):
    return [catalog.find("k06"), catalog.find("k07")]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("doejane_12345_67890_katas.zip", "12345"),
        ("doejane_LATE_12345_67890_katas.zip", "12345"),
        ("student_12345_67890_my_katas_final-2.zip", "12345"),
        ("Jane Doe_12345_assignsubmission_file_", "12345"),
        ("Anne_Marie Doe_12345_assignsubmission_file", "12345"),
        ("Jane Doe_12345_assignsubmission_file_x_99999_assignsubmission_y.zip", "12345"),
        ("submission_123456", "submission_123456"),
        ("homework-3-jane-doe", "homework-3-jane-doe"),
        ("hw_2_3_jane", "hw_2_3_jane"),
        ("jane.tar.gz", "jane"),
        ("José.zip", "Jose~24c2ab"),
        ("Jane Doe", "Jane_Doe~01332c"),
        ("-rf", "rf~686c39"),
        ("=SUM(A1)", "SUM_A1~1475d9"),
        ("@home", "home~0eae5f"),
    ],
)
def test_the_student_is_known_by_the_entrys_name(tmp_path, catalog, name, student):
    a_zip(tmp_path / name) if name.endswith("zip") else folder(tmp_path / name)
    assert the_only(tmp_path, catalog).id == student


def test_another_pattern_for_other_names(tmp_path, catalog):
    a_zip(tmp_path / "2026 s123 doe.zip")
    assert the_only(tmp_path, catalog, pattern=r"(?P<id>s\d+)").id == "s123"


@pytest.mark.parametrize(
    ("pattern", "says"), [("(", "no regular expression"), (r"\d+", "no group `id`")]
)
def test_a_pattern_that_can_not_be_used_is_told(tmp_path, katas, pattern, says):
    folder(tmp_path / "doe")
    with pytest.raises(IntakeError, match=says):
        scan(tmp_path, katas, pattern)


@pytest.mark.parametrize(
    "name",
    ["a\u202eb", "李雷", "dоe", "a" * 300, "~", "\u200b", "a\nb", "\x1b[2J", "..", "a/b", "\ud800"],
)
def test_an_id_is_plain_text_and_names_that_differ_stay_apart(name):
    made = safe_id(name)
    assert made and len(made) <= 71
    assert all(" " < one <= "~" and one not in "/\\" for one in made)
    assert made != safe_id(name + "x")
    assert not made.startswith((".", "-", "+", "@", "="))


@pytest.mark.parametrize(
    "alike",
    [
        ("Müller", "Muller"),
        ("-x", "x"),
        ("a b", "a_b"),
        ("x.", "x"),
        ("ﬁn", "fin"),
        ("a" * 65, "a" * 64),
    ],
)
def test_names_that_are_made_alike_stay_apart_from_one_run_to_the_next(tmp_path, catalog, alike):
    ids = []
    for run, name in enumerate(alike):
        folder(tmp_path / str(run) / name)
        ids.append(the_only(tmp_path / str(run), catalog).id)
    assert len(set(ids)) == 2
    assert ids[1] == alike[1]  # what needs no change is not changed
    assert ids[0].startswith(f"{ids[1]}~")


def test_two_ways_to_write_an_accent_are_one_name():
    assert safe_id(unicodedata.normalize("NFD", "Müller")) == safe_id("Müller") != safe_id("Muller")


def test_a_pattern_that_fits_no_entry_is_refused_and_one_that_fits_some_is_noted_on_the_others(
    tmp_path, katas
):
    for name in (
        "matnr1.zip",
        "s2.zip",
        f"jane_matnr3_{K06}.py",
        f"jane_matnr3_{K07}.py",
        "notes.txt",
    ):
        a_zip(tmp_path / name) if name.endswith("zip") else (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        IntakeError,
        match=(
            r"^--id-pattern fits none of 3 entries, such as jane_matnr3_k06_logistic_regression.py:"
            r" correct it"
        ),
    ):
        scan(tmp_path, katas, r"number(?P<id>\d+)")
    with pytest.raises(IntakeError, match="fits none"):  # an id of no letter is none
        scan(tmp_path, katas, r"matnr(?P<id>x*)")
    found = {entry.id: entry.notes for entry in scan(tmp_path, katas, r"matnr(?P<id>\d+)").entries}
    assert found == {"1": (), "3": (), "s2": ("--id-pattern does not fit s2.zip.",)}
    assert not any(entry.notes for entry in scan(tmp_path, katas).entries)


def test_what_canvas_marks_as_late_is_noted(tmp_path, katas):
    for name in (
        f"doe_LATE_12_345_{K06}.py",
        f"doe_12_346_{K07}.py",
        f"roe_13_347_x_LATE_14_348_{K06}.py",
    ):
        (tmp_path / name).write_bytes(b"x")
    a_zip(tmp_path / "poe_LATE_15_349_katas.zip")
    found = {one.id: one.notes for one in submissions(tmp_path, katas)}
    assert found == {
        "12": (f"Handed in late, says Canvas: doe_LATE_12_345_{K06}.py.",),
        "13": (),  # what stands after the number the student chose
        "15": ("Handed in late, says Canvas: poe_LATE_15_349_katas.zip.",),
    }


@pytest.mark.parametrize(
    "same", [("doe", "doe.zip"), ("doe", "DOE.zip"), ("x_12345_678_a", "y_12345_679_b")]
)
def test_two_entries_of_one_id_are_told_apart_and_noted(tmp_path, katas, same):
    for name in same:
        a_zip(tmp_path / name) if name.endswith("zip") else folder(tmp_path / name)
    first, second = submissions(tmp_path, katas)
    assert first.id.casefold() != second.id.casefold()
    assert "~" in first.id and "~" in second.id  # neither passes as the one that is meant
    assert "2 entries have the id" in first.notes[0] and first.entry in first.notes[0]
    assert first.files == second.files == TAKEN


def test_a_students_other_files_do_not_cost_them_their_id(tmp_path, katas):
    a_zip(tmp_path / "doe_12345_67891_katas.zip")
    (tmp_path / f"roe_77_67892_{K06}.py").write_bytes(b"x")
    for name in (
        "doe_12345_67890_report.pdf",
        "roe_77_67893_notes.txt",
        "poe_88_67894_a.pdf",
        "poe_88_67895_b.pdf",
    ):
        (tmp_path / name).write_bytes(b"%PDF-1.7")
    found = {one.id: one for one in submissions(tmp_path, katas)}
    beside = "handed in beside it: neither an archive nor a kata's file"
    assert set(found) == {"12345", "77", "88"}
    assert found["12345"].files == TAKEN and found["77"].files == {K06: b"x"}
    assert not any(one.notes for one in found.values())
    assert reasons(found["12345"]) == {"doe_12345_67890_report.pdf": beside}
    assert reasons(found["77"]) == {"roe_77_67893_notes.txt": beside}
    assert reasons(found["88"]) == {"poe_88_67895_b.pdf": beside}
    assert "neither a folder nor a zip nor a tar" in found["88"].problem


def test_single_files_that_a_system_named_after_their_student_are_one_submission(tmp_path, katas):
    for name in (
        f"doe_12345_67890_{K06}.py",
        f"doe_12345_67891_{K07}-1.py",
        f"roe_77_{K06} (2).py",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / f"Jane Doe_31_assignsubmission_file_{K06}.py").write_bytes(b"y")
    found = {one.id: dict(one.files) for one in submissions(tmp_path, katas)}
    assert found == {"12345": {K06: b"x", K07: b"x"}, "roe_77": {K06: b"x"}, "31": {K06: b"y"}}


def test_a_single_file_in_another_spelling_or_twice_is_not_taken_and_told_under_its_own_name(
    tmp_path, katas
):
    for name in ("doe_1_K06_Logistic_Regression.py", f"roe_2_{K06}.py", f"roe_2_{K06}-1.py"):
        (tmp_path / name).write_bytes(b"x")
    doe, roe = submissions(tmp_path, katas)
    assert reasons(doe) == {"doe_1_K06_Logistic_Regression.py": f"has to be named {K06}.py"}
    assert reasons(roe) == dict.fromkeys(
        (f"roe_2_{K06}-1.py", f"roe_2_{K06}.py"),
        "one of 2 copies, and nothing says which counts: none was taken",
    )
    assert doe.problem and roe.problem and not doe.files and not roe.files
    assert roe.notes == (
        (
            f"roe_2_{K06}-1.py and roe_2_{K06}.py were not taken: nothing says which of them"
            " counts. Leave only the right one and grade again."
        ),
    )


def test_what_is_nobodys_is_listed_in_a_line(tmp_path, katas):
    folder(tmp_path / "doe")
    for name in (".DS_Store", "roster.csv", "submission_metadata.yml", f"{K06}.py"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "Jane Doe_12345_assignsubmission_onlinetext_").mkdir()
    folder(tmp_path / "grades")
    intake = scan(tmp_path, katas, skip=tmp_path / "grades")
    assert [entry.id for entry in intake.entries] == ["doe"]
    assert {stray.name: stray.reason for stray in intake.strays} == {
        ".DS_Store": "a file of the system",
        "Jane Doe_12345_assignsubmission_onlinetext_": "a text that was typed into Moodle",
        "grades": "where the grades go",
        f"{K06}.py": "names no student: put it into a folder of the student's name",
        "roster.csv": "neither a folder, an archive nor a kata's file",
        "submission_metadata.yml": "neither a folder, an archive nor a kata's file",
    }


def test_the_way_to_the_grades_is_nobodys(tmp_path, katas):
    folder(tmp_path / "doe")
    for grades in ("results/hw2", "results/hw3"):
        folder(tmp_path / grades, {"gradebook.sqlite": b"", "grades.csv": b""})
    folder(tmp_path / "results" / ".cache", {"x": b""})
    for grades in ("hw3", "hw4", "2026/hw4"):  # there already, or not yet
        intake = scan(tmp_path, katas, skip=tmp_path / "results" / grades)
        assert [entry.id for entry in intake.entries] == ["doe"]
        strays = {stray.name: stray.reason for stray in intake.strays}
        assert strays == {"results": "where the grades go"}
    folder(tmp_path / "results", {f"{K06}.py": b"x"})
    assert [
        entry.id for entry in scan(tmp_path, katas, skip=tmp_path / "results" / "hw3").entries
    ] == ["doe", "results"]


def test_a_gradebook_that_a_student_put_there_means_nothing(tmp_path, katas):
    folder(tmp_path / "doe", GOOD | {"gradebook.sqlite": b"", "katas/gradebook.sqlite": b""})
    intake = scan(tmp_path, katas, skip=tmp_path / "grades")
    (entry,) = intake.entries
    assert intake.read(entry).files == TAKEN


ATTEMPT = "gradebook_CS1_Homework1_{}_attempt_2026-11-{}-10-33-21"


def test_of_several_attempts_the_newest_counts(tmp_path, katas):
    for owner, day, name, data in (
        ("doe", "19", f"_{K06}.py", b"first"),
        ("doe", "21", f"_{K06}.py", b"second"),
        ("doe", "21", f"_{K07}.py", b"second"),
        ("doe", "22", ".txt", b"I handed in yesterday."),
        ("roe", "20", f"_{K06}.py", b"only"),
        ("roe", "20", ".txt", b"Name: R. Roe"),
        ("poe", "20", ".txt", b"Here is a text instead."),
    ):
        (tmp_path / (ATTEMPT.format(owner, day) + name)).write_bytes(data)
    intake = scan(tmp_path, katas)
    read = {entry.id: intake.read(entry) for entry in intake.entries}
    assert {student: one.files for student, one in read.items()} == {
        "doe": {K06: b"second", K07: b"second"},
        "roe": {K06: b"only"},
        "poe": {},
    }
    assert read["doe"].notes == (
        "Handed in more than once: the attempt of 2026-11-21 10:33:21 counts.",
    )
    assert read["roe"].notes == () and read["poe"].problem
    assert {stray.name for stray in intake.strays} == {
        ATTEMPT.format("doe", "19") + f"_{K06}.py",
        ATTEMPT.format("doe", "22") + ".txt",
    }


def test_two_usernames_with_the_same_end_stay_two_students(tmp_path, katas):
    for owner, day in (("a_doe", "19"), ("b_doe", "20")):
        name = f"{ATTEMPT.format(owner, day)}_{K06}.py"
        (tmp_path / name).write_bytes(owner.encode())
    intake = scan(tmp_path, katas)
    assert sorted(intake.read(entry).files[K06] for entry in intake.entries) == [b"a_doe", b"b_doe"]
    assert all(entry.id.startswith("doe~") and entry.notes for entry in intake.entries)


def test_the_users_own_pattern_goes_before_attempts(tmp_path, katas):
    for day in ("19", "20"):
        folder(tmp_path / f"{ATTEMPT.format('doe', day)}_x")
    pattern = r"-(?P<id>\d\d)-10-33"
    assert [entry.id for entry in scan(tmp_path, katas, pattern).entries] == ["19", "20"]


@pytest.mark.parametrize("others", [(), ("README.md", "tests/test_x.py", "tools/check")])
def test_one_submission_is_not_taken_for_many(tmp_path, katas, others):
    folder(tmp_path / "jane", {"katas/k01_tensors.py": b"x"} | dict.fromkeys(others, b""))
    with pytest.raises(
        IntakeError,
        match=r"looks like one submission: it holds a folder katas/ .* that holds jane;",
    ):
        scan(tmp_path / "jane", katas)
    assert [entry.id for entry in scan(tmp_path, katas).entries] == ["jane"]
    folder(tmp_path / "katas", {"homework.zip": b""})  # whoever has that name
    assert [entry.id for entry in scan(tmp_path, katas).entries] == ["jane", "katas"]


def test_a_kata_file_that_names_no_student_and_is_misspelt_is_told(tmp_path, katas):
    folder(tmp_path / "doe")
    (tmp_path / "k06.py").write_bytes(b"x")
    (stray,) = scan(tmp_path, katas).strays
    assert stray.reason == f"is it meant as {K06}.py? rename it to STUDENT_{K06}.py"
