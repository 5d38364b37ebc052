"""Archives of very many members: those with a virtual environment are read, those that were made to
take our time are not.
"""

import io
import struct
import tarfile
import time
import zipfile

import pytest
from submitting import (
    GOOD,
    K06,
    TAKEN,
    a_tar,
    a_zip,
    reasons,
    regular,
    special,
    submissions,
    the_only,
)

from dojo.grade.intake import bounds
from dojo.grade.intake.names import KataNames

UNSEEN = "a folder that is not looked into"


def test_too_many_members_are_refused(tmp_path, catalog):
    a_zip(tmp_path / "a.zip", {str(number): b"" for number in range(10_001)}, zipfile.ZIP_STORED)
    a_tar(tmp_path / "b.tgz", {str(number): b"" for number in range(10_001)})
    for one in submissions(tmp_path, [catalog.find("k06")]):
        assert one.problem == "This submission has more than 10,000 members."


def test_a_zip_directory_of_many_megabytes_is_not_read(tmp_path, catalog):
    path = a_zip(
        tmp_path / "doe.zip",
        {"x" * 60_000 + str(number): b"" for number in range(80)},
        zipfile.ZIP_STORED,
    )
    assert path.stat().st_size > 9_000_000
    assert (
        the_only(tmp_path, catalog).problem == "This submission has a header that is far too long."
    )


@pytest.mark.parametrize(("name", "make"), [("doe.zip", a_zip), ("doe.tgz", a_tar)])
def test_what_lies_in_folders_that_are_not_looked_into_is_not_many(tmp_path, catalog, name, make):
    many = {f"hw/.venv/lib/{number}": b"" for number in range(bounds.MEMBERS)}
    folders = {"hw/.git/": b"", "hw/.venv/": b"", "hw/.venv/lib/": b""} if make is a_zip else {}
    make(tmp_path / name, folders | many | {"hw/.git/HEAD": b"", "x/node_modules/y/z": b""} | GOOD)
    taken = the_only(tmp_path, catalog)
    assert taken.files == TAKEN
    assert reasons(taken) == {"hw/.venv/": UNSEEN, "hw/.git/": UNSEEN, "x/node_modules/": UNSEEN}


def test_folders_of_a_tar_stand_for_nothing_in_it(tmp_path, catalog):
    more = tuple(special(name, b"5") for name in (".venv", ".venv/lib"))
    a_tar(tmp_path / "doe.tar", {".venv/lib/a": b""} | GOOD, mode="w", more=more)
    taken = the_only(tmp_path, catalog)
    assert (taken.files, reasons(taken)) == (TAKEN, {".venv/": UNSEEN})


def test_a_way_out_of_the_submission_is_no_hidden_folder(tmp_path, catalog):
    a_zip(
        tmp_path / "doe.zip",
        {f"../{number}.py": b"" for number in range(2)} | {f"./katas/./{K06}.py": b"x = 6\n"},
    )
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K06: TAKEN[K06]}
    assert reasons(taken) == {
        f"../{number}.py": 'leads out of the submission ("..")' for number in range(2)
    }


def test_folders_that_are_not_looked_into_count_themselves(tmp_path, catalog, monkeypatch):
    monkeypatch.setattr(bounds, "MEMBERS", 100)
    a_zip(tmp_path / "doe.zip", {f"{number}/.x/y": b"" for number in range(101)})
    assert the_only(tmp_path, catalog).problem == "This submission has more than 100 members."


@pytest.mark.parametrize(("name", "make"), [("doe.zip", a_zip), ("doe.tgz", a_tar)])
def test_hidden_members_have_a_limit_too(tmp_path, catalog, monkeypatch, name, make):
    monkeypatch.setattr(bounds, "ALL_MEMBERS", 300)
    make(tmp_path / name, {f".venv/{number}": b"" for number in range(301)})
    assert the_only(tmp_path, catalog).problem == "This submission has more than 300 members."


def test_a_zip_directory_is_counted_before_it_is_read(tmp_path, catalog, monkeypatch):
    a_zip(tmp_path / "doe.zip", {f".venv/{number}": b"" for number in range(301)})
    monkeypatch.setattr(bounds, "ALL_MEMBERS", 300)
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *_: pytest.fail("an entry was made"))
    assert the_only(tmp_path, catalog).problem == "This submission has more than 300 members."


def test_what_is_added_to_a_member_of_a_zip_is_short(tmp_path, catalog):
    info = zipfile.ZipInfo(f"{K06}.py")
    info.extra = struct.pack("<HH", 0x7777, 0) * 10_000
    with zipfile.ZipFile(tmp_path / "doe.zip", "w") as archive:
        archive.writestr(info, b"x")
    assert (
        the_only(tmp_path, catalog).problem == "This submission has a header that is far too long."
    )


@pytest.mark.timeout(60)
def test_the_largest_directory_of_a_zip_takes_seconds(tmp_path, catalog):
    """No member has data of its own: they all lie at the same place."""
    data = (a_zip(tmp_path / "doe.zip", {f".v/{'x' * 90}": b""})).read_bytes()
    begin, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entries = data[begin:end] * bounds.ALL_MEMBERS
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(entries), begin, 0)
    (tmp_path / "doe.zip").write_bytes(data[:begin] + entries + tail)
    begun = time.process_time()
    taken = the_only(tmp_path, catalog)
    assert time.process_time() - begun < 30
    assert reasons(taken) == {".v/": UNSEEN}


@pytest.mark.timeout(60)
def test_names_that_no_file_can_have_mean_nothing_and_take_no_time(tmp_path, catalog):
    """To look for the ending of one took time with the square of its length: hours, for an archive
    of half a megabyte.
    """
    names = [f"{'.' * 15_000}\ta{number}" for number in range(300)]
    with tarfile.open(tmp_path / "doe.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            archive.addfile(regular(name))
        archive.addfile(
            regular(f"{K06}.py", GOOD[f"katas/{K06}.py"]), io.BytesIO(GOOD[f"katas/{K06}.py"])
        )
    taken = the_only(tmp_path, catalog)
    assert list(taken.files) == [K06] and not taken.notes


@pytest.mark.parametrize("name", ["k06.tar.gz", "my k06 v1.2.final.jpg", "k06. .x.png"])
def test_endings_do_not_hide_the_katas_number(name):
    assert KataNames((K06,), (K06, "k02_devices")).nearest(name) == K06
