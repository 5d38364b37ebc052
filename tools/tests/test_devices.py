"""Which devices are present, how that is found out, and what the workflows do on machines that have
them.
"""

import fnmatch
import os
import re
import subprocess
import sys

import pytest
import torch

from dojo import ROOT
from dojo.suite import devices
from dojo.validate import commands, device_record

# Whoever starts CUDA is noted, and refused as on a machine without it; at the end one start is made
# on purpose.
NEVER_CUDA = """
import os, runpy, sys
import torch

started = []
def start(*more):
    started.append(more)
    raise RuntimeError("CUDA was started")
torch._C._cuda_init = torch.cuda._lazy_init = start

from dojo.suite import preload_katas, devices
assert os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] == "1"
import pytest
import torch.cuda
options = ["--collect-only", "-qq", "--target", "reference", "-p", "no:cacheprovider"]
assert pytest.main(["tests", *options]) == 0
[devices.why_absent(name) for name in ("cuda", "cuda:1", "mps", "simulated")]
devices.to_test("auto")
for words in (["check", "list"], ["validate", "devices"]):
    sys.argv = words
    try: runpy.run_path(f"tools/{words[0]}", run_name="__main__")
    except SystemExit as end: assert not end.code, end.code
before = list(started)
try: torch.zeros(1, device="cuda")
except RuntimeError: pass
print("STARTED", len(before), len(started))
"""


def test_cuda_is_never_started_by_importing_collecting_or_listing():
    command = [sys.executable, "-c", NEVER_CUDA]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tools"), str(ROOT)])}
    environment.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["STARTED 0 1"], done.stdout + done.stderr


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("gpu", "There is no device 'gpu'"), ("cuda", "Nothing was validated on cuda")],
)
def test_an_unknown_or_absent_device_is_refused(monkeypatch, wanted, said):
    monkeypatch.setattr(devices, "why_absent", lambda device: "no such hardware")
    with pytest.raises(devices.DeviceError, match=said):
        devices.present(wanted)


def test_all_are_the_accelerators_that_are_present(monkeypatch):
    monkeypatch.setattr(devices, "why_absent", lambda device: None if device == "mps" else "absent")
    assert devices.present("all") == ["mps"]
    monkeypatch.setattr(devices, "why_absent", lambda device: "absent")
    with pytest.raises(devices.DeviceError, match="No accelerator"):
        devices.present("all")


@pytest.fixture
def apple(monkeypatch):
    """As if an Apple GPU were there; returns the list of what was tried on it, and lets it
    refuse.
    """
    tried = []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    devices._mps_refuses.cache_clear()

    def gives(error):
        def ones(size, device):
            tried.append(device)
            if error:
                raise error
            return torch.zeros(size)

        monkeypatch.setattr(torch, "ones", ones)
        return tried

    yield gives
    devices._mps_refuses.cache_clear()


def test_an_apple_gpu_that_gives_no_memory_is_absent_and_asked_once(apple):
    tried = apple(RuntimeError("MPS backend out of memory (allocated: 0 bytes).\nMore"))
    reason = "MPS is there but gives no memory: MPS backend out of memory (allocated: 0 bytes)."
    assert [devices.why_absent("mps") for _ in range(2)] == [reason, reason]
    assert tried == ["mps"]


def test_an_apple_gpu_that_works_is_there(apple):
    apple(None)
    assert devices.why_absent("mps") is None


def test_a_gpu_without_memory_is_told_from_one_that_is_broken(apple):
    apple(RuntimeError("Metal device was lost"))
    assert devices.why_absent("mps") == "MPS is there but does not work: Metal device was lost"
    with pytest.raises(devices.DeviceError) as broken:
        devices.present("mps")
    assert not isinstance(broken.value, devices.NoMemory)


@pytest.mark.parametrize(
    ("error", "code"),
    [("MPS backend out of memory (max allowed: 7.93 GB)", 3), ("Metal device was lost", 2)],
)
def test_nothing_is_validated_there_and_the_exit_code_says_why(
    apple, capfd, monkeypatch, error, code
):
    apple(RuntimeError(error))
    monkeypatch.setattr(sys, "argv", ["validate", "device", "mps"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == code
    assert "Nothing was validated on mps: MPS is there but" in capfd.readouterr().err


@pytest.mark.parametrize("workflow", ["cpu", "cuda", "mps"])
def test_a_workflow_uploads_the_records_of_its_device_alone(workflow):
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
    commands = re.findall(r"tools/validate (.+?)(?: \|\||$)", text, re.MULTILINE)
    assert f"device {workflow}" in commands
    (pattern,) = set(re.findall(r"reference/validation/\S+", text))
    committed = [path.relative_to(ROOT).as_posix() for path in device_record.FOLDER.glob("*.json")]
    assert fnmatch.fnmatch(f"reference/validation/{workflow}-model.json", pattern)
    assert [
        path for path in fnmatch.filter(committed, pattern) if f"/{workflow}-" not in path
    ] == []


@pytest.mark.parametrize("workflow", ["cuda", "mps"])
def test_a_record_that_was_there_before_is_not_uploaded_as_if_it_were_new(workflow):
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
    forgotten = text.index(f"rm -f reference/validation/{workflow}-*.json")
    assert forgotten < text.index(f"tools/validate device {workflow}")
