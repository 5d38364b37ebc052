"""Makes submissions for the tests of grading, honest and hostile ones."""

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dojo.catalog import Kata
from dojo.grade.intake import scan
from dojo.grade.records import Submission

K06, K07 = "k06_logistic_regression", "k07_hidden_layer"
GOOD = {f"katas/{K06}.py": b"x = 6\n", f"katas/{K07}.py": b"x = 7\n"}
TAKEN = {K06: b"x = 6\n", K07: b"x = 7\n"}


def folder(path: Path, files: Mapping[str, bytes] = GOOD) -> Path:
    for name, data in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return path


def a_zip(
    path: Path, files: Mapping[str, bytes] = GOOD, packing: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def a_tar(
    path: Path,
    files: Mapping[str, bytes] = GOOD,
    mode: str = "w:gz",
    more: tuple[tarfile.TarInfo, ...] = (),
) -> Path:
    with tarfile.open(path, mode) as archive:
        for info in more:
            archive.addfile(info)
        for name, data in files.items():
            archive.addfile(regular(name, data), io.BytesIO(data))
    return path


def regular(name: str, data: bytes = b"") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def the_only(folder: Path, catalog, **arguments) -> Submission:
    """The one submission that a folder holds, for an assignment of k06 and k07."""
    intake = scan(folder, [catalog.find("k06"), catalog.find("k07")], **arguments)
    (entry,) = intake.entries
    return intake.read(entry)


def submissions(folder: Path, katas: Sequence[Kata]) -> Iterator[Submission]:
    """All submissions of a folder by id, each read when it is asked for."""
    intake = scan(folder, katas)
    return (intake.read(entry) for entry in intake.entries)


def reasons(submission: Submission) -> dict[str, str]:
    return {one.name: one.reason for one in submission.ignored}
