"""What the tools' tests share: a kata's reference with a change made, and its judgement."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.catalog import Catalog, load
from dojo.results import KataResult
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit

KATA = "k06_logistic_regression"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # these tests start processes; the limit of the katas' tests is not theirs
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session", autouse=True)
def no_ones_progress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The commands that tests run open no hints of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "TORCH_KATAS_PROGRESS", str(tmp_path_factory.mktemp("progress") / "progress.json")
        )
        yield


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts: tests
    of Ctrl-C need it heard.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    """A runtime folder for watch sessions, and no place for their state but their clone."""
    with (
        tempfile.TemporaryDirectory(prefix="tk", dir="/tmp") as path,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_RUNTIME_DIR", path)
        patch.delenv("TORCH_KATAS_PROGRESS", raising=False)
        yield Path(path)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Path:
    """A clone with the katas as stubs, for watch sessions."""
    from watching import cloned

    return cloned(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def own_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own: no watcher of the person who runs the tests is met."""
    with tempfile.TemporaryDirectory(
        prefix="tk", dir="/tmp" if os.name == "posix" else None
    ) as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        yield Path(path)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load()


@pytest.fixture(scope="session")
def reference() -> str:
    """The text of k06's reference."""
    return (ROOT / "reference" / f"{KATA}.py").read_text(encoding="utf-8")


@pytest.fixture
def judge(tmp_path: Path, catalog: Catalog) -> Callable[..., KataResult]:
    """Judge a text (or bytes) as the file of k06."""

    def run_it(source: str | bytes, timeout: float | None = None) -> KataResult:
        data = source.encode() if isinstance(source, str) else source
        (tmp_path / f"{KATA}.py").write_bytes(data)
        return run([Unit(str(tmp_path), KATA, "cpu", timeout)], catalog.katas)[0]

    return run_it
