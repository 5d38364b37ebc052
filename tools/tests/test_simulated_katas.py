"""The simulated device under the suite: what learners see of it, and what happens where it can't
be.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dojo import ROOT
from dojo.catalog import load
from dojo.results import KataResult, Outcome, TaskResult, TestResult
from dojo.simulated import NAME, Unsupported, backend
from dojo.suite import devices
from dojo.suite.supervisor import run
from dojo.suite.unit import Unit
from dojo.validate import parts

MISSING = backend.available()
needs_it = pytest.mark.skipif(bool(MISSING), reason=MISSING or "")
# the same numbers, by a way the device does not know
BEYOND = "self.linear(torch.fft.ifft(torch.fft.fft(x)).real)"


def placement_of(text: str, folder: Path, device: str = "simulated") -> list:
    """The results of k06's placement tests of a text."""
    katas = [kata for kata in load().katas if kata.short == "k06"]
    (folder / "k06_logistic_regression.py").write_text(text, encoding="utf-8")
    result = run([Unit(str(folder), katas[0].name, device)], katas)[0]
    return [
        test
        for task in result.tasks
        for test in task.tests
        if test.device.partition(":")[0] == NAME
    ]


def pytest_run(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "--target", "reference", "-q", "-rs", *arguments]
    known = {
        **os.environ,
        **environment,
        "PYTHONPATH": os.pathsep.join([environment.get("PYTHONPATH", ""), str(ROOT / "tools")]),
    }
    return subprocess.run(
        command, cwd=ROOT, env=known, capture_output=True, text=True, check=False
    ).stdout


def absent(*kinds: str):
    return lambda device: "not there" if device in kinds else None


def test_it_stands_in_where_no_gpu_is(monkeypatch):
    monkeypatch.setattr(devices, "why_absent", absent("cuda", "mps"))
    assert devices.to_test("auto") == ["cpu", "cuda", "mps", NAME]
    for gpu in ("cuda", "mps"):
        monkeypatch.setattr(devices, "why_absent", absent(gpu))
        assert devices.to_test("auto") == ["cpu", "cuda", "mps"]
    assert devices.to_test(NAME) == [NAME]


def test_listing_and_looking_do_not_enable_it():
    code = (
        "from dojo.suite import devices, preload_tests; devices.to_test('auto');"
        " devices.why_absent('simulated'); import torch\n"
    )
    code += (
        "try: torch.device('simulated')\nexcept RuntimeError: print('unknown',"
        " torch.accelerator.current_accelerator())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.startswith("unknown"), found.stderr


@needs_it
class TestLearner:
    def test_a_right_solution_passes(self, reference, tmp_path):
        assert {test.outcome for test in placement_of(reference, tmp_path)} == {Outcome.PASSED}

    def test_a_tensor_left_on_the_cpu_is_caught(self, reference, tmp_path):
        text = reference.replace("self.linear(x)", "self.linear(x) + torch.zeros(1, 1)")
        failed = [test for test in placement_of(text, tmp_path) if test.outcome == Outcome.FAILED]
        assert failed
        assert "found at least two devices, simulated:0 and cpu" in failed[0].message
        assert "a tensor was left on another device" in failed[0].message

    @pytest.mark.parametrize("where", [NAME, f"{NAME}:0"])
    def test_what_the_device_does_not_support_is_skipped_and_says_so(
        self, reference, tmp_path, where
    ):
        results = placement_of(reference.replace("self.linear(x)", BEYOND), tmp_path, where)
        assert Outcome.SKIPPED in {test.outcome for test in results}
        assert Outcome.FAILED not in {test.outcome for test in results}
        told = next(test.message for test in results if test.outcome == Outcome.SKIPPED)
        assert told.startswith("simulated device: aten::") and "not supported" in told


@needs_it
def test_plain_pytest_skips_what_is_not_supported_too(reference, tmp_path):
    text = reference.replace("self.linear(x)", BEYOND)
    (tmp_path / "k06_logistic_regression.py").write_text(text, encoding="utf-8")
    printed = pytest_run(
        "tests/test_k06_logistic_regression.py", "-m", "placement", "--target", str(tmp_path)
    )
    assert "simulated device: aten::_fft_r2c is not supported" in printed
    assert "failed" not in printed


# A pytest plugin that takes away what the device stands on, before anything asks for it.
TAKES_AWAY = {
    "missing": "del torch._C._acc.create_empty_tensor",
    "changed": (
        "torch.utils.backend_registration._setup_privateuseone_for_python_backend = lambda **more:"
        " None"
    ),
}


@needs_it
@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            "missing",
            (
                f"torch {torch.__version__} has no torch._C._acc.create_empty_tensor, which the"
                " simulated device stands on"
            ),
        ),
        ("changed", f"torch {torch.__version__} can't set up the simulated device: "),
    ],
)
def test_without_torchs_private_api_its_tests_are_skipped_and_the_rest_runs(tmp_path, how, words):
    (tmp_path / "takes_away.py").write_text(f"import torch\n{TAKES_AWAY[how]}\n", encoding="utf-8")
    printed = pytest_run(
        "-p", "takes_away", "tests/test_k06_logistic_regression.py", PYTHONPATH=str(tmp_path)
    )
    assert words in printed
    assert "failed" not in printed and "error" not in printed
    assert " passed" in printed


@needs_it
def test_the_process_that_forks_the_runs_outlives_kernels_that_cannot_be_made():
    code = "import torch; torch._C._dispatch_get_all_op_names = lambda: 1 / 0\n"
    code += (
        "from dojo.suite import devices, preload_tests\nprint(devices.why_absent('simulated'))\n"
    )
    code += (
        "try: devices.get('simulated')\nexcept devices.simulated.Unavailable as reason:"
        " print(reason)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
        check=False,
    )
    told = (
        f"torch {torch.__version__} can't set up the simulated device: ZeroDivisionError: division"
        " by zero"
    )
    assert done.stdout.splitlines() == [told, told], done.stderr


@needs_it
def test_check_takes_its_name():
    command = [
        sys.executable,
        "tools/check",
        "k02",
        "--target",
        "reference",
        "--device",
        "simulated",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_tensors_arrive_on_each_device on simulated" in done.stdout


def test_what_it_does_not_support_is_a_problem_of_ours_in_validate():
    skipped = TestResult("test_it", Outcome.SKIPPED, str(Unsupported("aten::x")), device=NAME)
    passed = TestResult("test_it", Outcome.PASSED)
    result = KataResult("k02_devices", 0, (TaskResult("move", (passed, skipped)),))
    assert parts.not_passed([result]) == [f"k02_devices, test_it was skipped: {skipped.message}"]


@pytest.mark.parametrize("words", [["check", "--device"], ["validate", "device"]])
def test_another_name_is_refused(words):
    command = [sys.executable, f"tools/{words[0]}", words[1], "tpu"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "tpu" in refused.stderr
    assert "cpu, cuda, mps or simulated" in refused.stderr
