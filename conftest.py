"""Options and fixtures of every kata's tests: the folder under test, devices, seed, pass marks."""

import functools
import os
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
import torch

from dojo import ROOT, simulated
from dojo.suite import devices, drift, loader, plugin, spoiled
from dojo.suite.unit import ACCEPTED, is_device
from tests.support import marks

torch.set_num_threads(1)  # a tiny network is several times slower on two threads


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not any(map(pluginmanager.hasplugin, ("timeout", "pytest_timeout"))):
        for setting in ("timeout", "timeout_func_only"):  # or pytest warns of unknown settings
            parser.addini(setting, "a setting of pytest-timeout, which is off")
    computing = "seconds that a test may compute"
    parser.addini("computing_time", computing)
    group = parser.getgroup("torch-katas")
    group.addoption(
        "--target",
        default=str(ROOT / "katas"),
        help="folder of the kata files under test: katas, reference or any other",
    )
    group.addoption("--computing-time", type=float, metavar="SECONDS", help=computing)
    group.addoption(
        "--measure",
        metavar="A:B",
        help="run the trainings from seeds A to B - 1, and record instead of judging them",
    )
    group.addoption(
        "--drift",
        action="store_true",
        help="record how far the numbers on --device lie from the CPU's",
    )
    group.addoption(
        "--spoiled",
        action="store_true",
        help="run each placement test again on a kata that is wrong on --device",
    )
    group.addoption("--device", default="auto", help=f"where the placement tests run: {ACCEPTED}")


def pytest_configure(config: pytest.Config) -> None:
    target = Path(config.getoption("--target"))
    folders = (config.invocation_params.dir / target, ROOT / target)
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise pytest.UsageError(
            f"--target {target}: there is no such folder; give one that holds kata files"
        )
    refuse_what_has_no_tests(config, folder.resolve())
    run = config.stash[plugin.SESSION] = plugin.RunState(folder.resolve())
    run.adds_needed = not config.getoption("--measure")
    config.pluginmanager.register(plugin, "torch-katas")
    if not is_device(device := config.getoption("--device")):
        raise pytest.UsageError(f"--device {device}: choose {ACCEPTED}")
    if device.startswith("cuda"):
        torch.use_deterministic_algorithms(True, warn_only=True)
    if config.getoption("--drift"):
        config.pluginmanager.register(drift.Shadow(device), "torch-katas-drift")
    elif config.getoption("--spoiled"):
        config.pluginmanager.register(spoiled.Spoiled(device), "torch-katas-spoiled")
    elif config.getoption("--measure") and device not in ("auto", "cpu"):
        config.stash[plugin.SESSION].wrap = devices.trainings_on(device)


def refuse_what_has_no_tests(config: pytest.Config, target: Path) -> None:
    """Raise a UsageError if pytest is to look for tests where the katas lie."""
    here = config.invocation_params.dir
    for path in ((here / argument.partition("::")[0]).resolve() for argument in config.args):
        if folder := next(filter(path.is_relative_to, (target, ROOT / "katas")), None):
            test = ROOT / "tests" / f"test_{path.name}"
            command = f"pytest {os.path.relpath(test if test.is_file() else test.parent, here)}"
            if folder not in (ROOT / "katas", here / "katas"):
                command += f" --target {config.getoption('--target')}"
            raise pytest.UsageError(f"{loader.shown(path)} holds no tests. Run: {command}")


def pytest_report_header(config: pytest.Config) -> list[str]:
    target, device = config.stash[plugin.SESSION].target, config.getoption("--device")
    no_limit = "pytest-timeout is off: a test that waits for nothing does so until you press Ctrl-C"
    is_limited = hasattr(config.option, "timeout")
    return [f"target: {target}, device: {device}", *([] if is_limited else [no_limit])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        names = devices.to_test(metafunc.config.getoption("--device"))
        metafunc.parametrize("device", names, indirect=True)
    if (seeds := metafunc.config.getoption("--measure")) and "mark" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(*map(int, seeds.split(":"))), indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--measure"):
        items[:] = [item for item in items if "mark" in item.fixturenames]


# Each pass mark was measured with the code of this fixture and of torch_seed (validate/marks.py):
# after a change of these all marks have to be measured again.
@pytest.fixture(autouse=True)
def seed(request: pytest.FixtureRequest) -> int:
    """The same random numbers in every run of a test, whichever tests ran before it."""
    value = getattr(request, "param", 0) + zlib.crc32(request.node.originalname.encode())
    random.seed(value)
    numpy.random.seed(value)
    torch_seed()(value)
    return value


@functools.cache
def torch_seed() -> Callable[[int], object]:
    """torch.manual_seed, or on a machine with a CPU alone the part of it that is for the CPU: it
    also sees to every kind of device that is absent, and takes longer over them than many a test.
    """
    has_others = any(devices.why_absent(kind) is None for kind in ("cuda", "mps"))
    return torch.manual_seed if has_others else torch.default_generator.manual_seed


@pytest.fixture
def kata(request: pytest.FixtureRequest):
    """The module under test, found by the test file's name."""
    session = request.config.stash[plugin.SESSION]
    return session.kata(plugin.kata_name(request.node), plugin.computing_limit(request.config))


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """Each device in turn; the test is skipped where it is absent. The simulated one has no float64
    here: code for any device has to do without, because an Apple GPU does.
    """
    if reason := devices.why_absent(request.param):
        pytest.skip(reason)
    try:
        found = devices.get(request.param)
    except simulated.Unavailable as reason:
        pytest.skip(str(reason))
    with devices.as_on_mps(found):
        yield found


@pytest.fixture
def mark(request: pytest.FixtureRequest):
    """A pass mark by its name, which records what it is asked. While measuring, all are met."""

    def find(name: str) -> marks.Mark:
        lenient = bool(request.config.getoption("--measure"))
        return marks.find(
            name,
            lenient,
            record=lambda number: request.node.user_properties.append(("measured", number)),
        )

    return find
