"""Archives, also those that were made to harm: a clear line in the submission's record, never
more.
"""

import gzip
import io
import os
import random
import struct
import tarfile
import time
import zipfile

import pytest
from submitting import (
    GOOD,
    K06,
    K07,
    TAKEN,
    a_tar,
    a_zip,
    folder,
    reasons,
    regular,
    special,
    submissions,
    the_only,
)

from dojo.grade.intake import bounds


@pytest.mark.parametrize(
    ("name", "make"), [("a.zip", a_zip), ("b.tar.gz", a_tar), ("c.tgz", a_tar)]
)
def test_archives_are_read(tmp_path, catalog, name, make):
    make(tmp_path / name)
    assert the_only(tmp_path, catalog).files == TAKEN


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_every_format_are_read(tmp_path, catalog, kind):
    with tarfile.open(tmp_path / "doe.tar", "w", format=kind) as archive:
        for name, data in GOOD.items():
            archive.addfile(regular("h" * 90 + "/" + name, data), io.BytesIO(data))
    assert the_only(tmp_path, catalog).files == TAKEN


def test_the_content_counts_and_not_the_ending(tmp_path, catalog):
    a_zip(tmp_path / "a.tar")
    a_tar(tmp_path / "b.zip")
    a_tar(tmp_path / "c.zip", mode="w")
    a_zip(tmp_path / "d")
    found = list(submissions(tmp_path, [catalog.find("k06"), catalog.find("k07")]))
    assert [one.id for one in found] == ["a", "b", "c", "d"]
    assert all(one.files == TAKEN for one in found)


def test_backslashes_of_windows_divide_folders(tmp_path, catalog):
    a_zip(
        tmp_path / "doe.zip",
        {name.replace("/", "\\"): data for name, data in GOOD.items()} | {"katas\\": b""},
    )
    taken = the_only(tmp_path, catalog)
    assert (taken.files, taken.ignored) == (TAKEN, ())


def test_a_zip64_is_read(tmp_path, catalog):
    with zipfile.ZipFile(tmp_path / "doe.zip", "w") as archive:
        for name, data in GOOD.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    assert the_only(tmp_path, catalog).files == TAKEN


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (f"../{K06}.py", 'leads out of the submission ("..")'),
        (f"katas/../../{K06}.py", 'leads out of the submission ("..")'),
        (f"..\\{K06}.py", 'leads out of the submission ("..")'),
        (f"/etc/{K06}.py", "has an absolute path"),
        (f"C:\\x\\{K06}.py", "has an absolute path"),
        (f"\\\\host\\{K06}.py", "has an absolute path"),
        (f"a\x1b[2J/{K06}.py", "has control characters in its name"),
        (f"{'a' * 600}/{K06}.py", "has a path of more than 500 characters"),
        ("d/" * 13 + f"{K06}.py", "lies deeper than 12 folders"),
    ],
)
def test_hostile_paths_are_not_taken(tmp_path, catalog, path, reason):
    files = {path: b"bad", f"{K07}.py": b"good"}
    for name, make in (("z/doe.zip", a_zip), ("t/doe.tgz", a_tar)):
        (tmp_path / name).parent.mkdir()
        make(tmp_path / name, files)
        taken = the_only((tmp_path / name).parent, catalog)
        assert taken.files == {K07: b"good"}
        assert [one.reason for one in taken.ignored] == [reason]
        assert "\x1b" not in taken.ignored[0].name


def test_a_name_with_a_nul_is_not_cut_to_a_good_one(tmp_path, catalog):
    a_zip(tmp_path / "doe.zip", {f"{K06}.py_more": b"bad", f"{K07}.py": b"good"})
    data = (tmp_path / "doe.zip").read_bytes().replace(b".py_more", b".py\0more")
    (tmp_path / "doe.zip").write_bytes(data)
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"good"}
    assert [one.reason for one in taken.ignored] == ["has control characters in its name"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "is a link: links are not followed"),
        (tarfile.LNKTYPE, "is a link: links are not followed"),
        (tarfile.CHRTYPE, "is a device or something else that is no file"),
        (tarfile.FIFOTYPE, "is a device or something else that is no file"),
    ],
)
def test_links_and_devices_in_a_tar_are_not_taken(tmp_path, catalog, kind, reason):
    a_tar(
        tmp_path / "doe.tar",
        {f"{K07}.py": b"good"},
        mode="w",
        more=(special(f"{K06}.py", kind, "/etc/passwd"),),
    )
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"good"}
    assert reasons(taken) == {f"{K06}.py": reason}


def test_links_in_a_zip_are_not_taken(tmp_path, catalog):
    with zipfile.ZipFile(tmp_path / "doe.zip", "w") as archive:
        link = zipfile.ZipInfo(f"{K06}.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(f"{K07}.py", b"good")
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"good"}
    assert reasons(taken) == {f"{K06}.py": "is a link: links are not followed"}


def test_sparse_files_in_a_tar_are_not_taken(tmp_path, catalog):
    info = regular(f"{K06}.py")
    info.pax_headers = {
        "GNU.sparse.size": "99999999999",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.major": "0",
    }
    with tarfile.open(tmp_path / "doe.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
        archive.addfile(regular(f"{K07}.py", b"good"), io.BytesIO(b"good"))
    taken = the_only(tmp_path, catalog)
    assert taken.files == {K07: b"good"}
    assert reasons(taken) == {f"{K06}.py": "is a sparse file"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_not_taken(tmp_path, catalog):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for data in ("good", "bad"):
            archive.writestr(f"{K06}.py", data)
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(regular(f"{K06}.py"))
    for one in submissions(tmp_path, [catalog.find("k06")]):
        assert not one.files
        assert set(reasons(one).values()) == {
            "is there more than once under the same name, so none was taken"
        }


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, catalog):
    zeros = bytes(bounds.FILE_BYTES)
    a_zip(tmp_path / "a.zip", {f"{K06}.py": zeros[:-1], f"{K07}.py": zeros})
    a_tar(
        tmp_path / "b.tgz", {f"{K06}.py": os.urandom(2 * bounds.FILE_BYTES), f"{K07}.py": b"good"}
    )
    zipped, tarred = submissions(tmp_path, [catalog.find("k06"), catalog.find("k07")])
    assert reasons(zipped) == {
        f"{kata}.py": "unpacks to more than 200 times its size" for kata in (K06, K07)
    }
    assert (dict(tarred.files), reasons(tarred)) == (
        {K07: b"good"},
        {f"{K06}.py": "is larger than 1 MiB"},
    )


def test_an_entry_that_claims_to_be_small_is_still_bounded(tmp_path, catalog):
    path = a_zip(tmp_path / "doe.zip", {f"{K06}.py": os.urandom(3 * bounds.FILE_BYTES)})
    data = path.read_bytes().replace(
        struct.pack("<I", 3 * bounds.FILE_BYTES), struct.pack("<I", 10)
    )
    path.write_bytes(data)
    taken = the_only(tmp_path, catalog)
    assert not taken.files and taken.ignored


@pytest.mark.parametrize("size", [20, 100])
def test_a_gzip_bomb_is_refused(tmp_path, catalog, size):
    with gzip.open(tmp_path / "doe.tgz", "wb", compresslevel=1) as file:
        for _ in range(size):
            file.write(bytes(bounds.MIB))
    assert (
        the_only(tmp_path, catalog).problem
        == "This submission unpacks to more than 200 times its size."
    )


def test_a_tar_that_unpacks_to_too_much_is_refused(tmp_path, catalog, monkeypatch):
    monkeypatch.setattr(bounds, "TOTAL_BYTES", 2 * bounds.MIB)
    a_tar(
        tmp_path / "doe.tgz",
        {"data.bin": os.urandom(1_500_000), "more.bin": bytes(1_000_000)} | GOOD,
    )
    assert the_only(tmp_path, catalog).problem == "This submission unpacks to more than 2 MiB."


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_header_of_many_kilobytes_is_not_read(tmp_path, catalog, kind):
    # A search in such a header takes time with the square of its length: a minute for a megabyte of
    # digits.
    info = special("x", kind)
    info.size = bounds.MIB
    data = info.tobuf() + b"1" * bounds.MIB + regular(f"{K06}.py").tobuf() + bytes(1024)
    (tmp_path / "doe.tar").write_bytes(data)
    begin = time.monotonic()
    assert (
        the_only(tmp_path, catalog).problem == "This submission has a header that is far too long."
    )
    assert time.monotonic() - begin < 5


def test_an_archive_that_is_slow_to_read_is_given_up(tmp_path, catalog, monkeypatch):
    a_tar(tmp_path / "doe.tgz")
    monkeypatch.setattr(bounds, "SECONDS", 0)
    assert the_only(tmp_path, catalog).problem == "This submission takes more than 0 s to read."


def test_headers_without_end_and_sizes_below_zero_end(tmp_path, catalog):
    chain = special("x", tarfile.XHDTYPE).tobuf() * 3000
    (tmp_path / "a.tar").write_bytes(chain + regular(f"{K06}.py").tobuf() + bytes(1024))
    info = regular(f"{K06}.py")
    info.size = -1024
    (tmp_path / "b.tar").write_bytes(info.tobuf(format=tarfile.GNU_FORMAT) + bytes(1024))
    for one in submissions(tmp_path, [catalog.find("k06")]):
        assert one.problem and not one.files


def test_encrypted_and_rarely_packed_members_are_told(tmp_path, catalog):
    a_zip(tmp_path / "a.zip", {f"{K06}.py": b"x"})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    a_zip(tmp_path / "b.zip", {f"{K06}.py": b"x"}, zipfile.ZIP_LZMA)
    encrypted, rare = submissions(tmp_path, [catalog.find("k06")])
    assert reasons(encrypted) == {f"{K06}.py": "is encrypted"}
    assert reasons(rare) == {f"{K06}.py": "is packed by a rare method"}


def test_a_damaged_member_does_not_take_the_others_with_it(tmp_path, catalog):
    path = a_zip(
        tmp_path / "doe.zip", {f"{K06}.py": b"six" * 10, f"{K07}.py": b"good"}, zipfile.ZIP_STORED
    )
    path.write_bytes(path.read_bytes().replace(b"sixsix", b"sevens"))
    taken = the_only(tmp_path, catalog)
    assert (dict(taken.files), reasons(taken)) == (
        {K07: b"good"},
        {f"{K06}.py": "is damaged in the zip"},
    )


def test_a_tar_that_is_damaged_in_the_middle_is_not_taken_for_a_short_one(tmp_path, catalog):
    path = a_tar(tmp_path / "doe.tar", mode="w")
    data = bytearray(path.read_bytes())
    data[1024 + 148 : 1024 + 156] = b"damaged!"  # the second header's checksum
    path.write_bytes(data)
    assert the_only(tmp_path, catalog).problem == "This submission is damaged in the middle."


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("doe.zip", b"", "is an empty file"),
        ("doe.zip", b"PK\x05\x06" + bytes(18), "archive is empty"),
        ("doe.zip", b"PK\x03\x04" + b"junk" * 50, "is damaged"),
        ("doe.zip", b"<html>not found</html>", "is neither a folder nor a zip nor a tar"),
        ("doe.rar", b"Rar!\x1a\x07\x00", "is packed with RAR"),
        ("doe_12345_678_answers.pdf", b"%PDF-1.7", "is neither a folder nor a zip nor a tar"),
        ("doe.tar.xz", b"\xfd7zXZ\x00", "is packed with xz"),
        ("doe.gz", gzip.compress(b"print()", mtime=0), "holds no tar"),
        ("doe.tgz", b"\x1f\x8b\x08junkjunkjunkjunk", "is damaged"),
    ],
)
def test_what_can_not_be_read_is_told(tmp_path, catalog, name, content, says):
    (tmp_path / name).write_bytes(content)
    taken = the_only(tmp_path, catalog)
    assert says in taken.problem
    assert not taken.files


def test_archives_cut_at_any_place_never_abort_and_never_give_half_a_file(tmp_path, catalog):
    for name, make in (
        ("a.zip", a_zip),
        ("b.tgz", a_tar),
        ("c.tar", lambda path: a_tar(path, mode="w")),
    ):
        whole = make(tmp_path / name).read_bytes()
        for length in range(0, len(whole), max(1, len(whole) // 60)):
            (tmp_path / name).write_bytes(whole[:length])
            taken = the_only(tmp_path, catalog)
            assert taken.problem or all(TAKEN[kata] == data for kata, data in taken.files.items())
        (tmp_path / name).unlink()


def test_archives_with_any_bytes_changed_never_abort(tmp_path, catalog):
    dice = random.Random(6)
    for name, make in (
        ("a.zip", a_zip),
        ("b.tgz", a_tar),
        ("c.tar", lambda path: a_tar(path, mode="w")),
    ):
        whole = make(tmp_path / name).read_bytes()
        for _ in range(150):
            data = bytearray(whole)
            for _ in range(dice.randint(1, 6)):
                data[dice.randrange(min(len(data), 2000))] = dice.randrange(256)
            (tmp_path / name).write_bytes(data)
            the_only(tmp_path, catalog)
        (tmp_path / name).unlink()


def test_a_crowd_of_hostile_entries_stops_no_one(tmp_path, catalog):
    folder(tmp_path / "good")
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "loop").symlink_to(tmp_path)
    found = {
        one.id: one for one in submissions(tmp_path, [catalog.find("k06"), catalog.find("k07")])
    }
    assert found["good"].files == TAKEN
    assert found["bad"].problem and found["loop"].problem
