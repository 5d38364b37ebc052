"""What a device's record holds, and what the report card makes of it: a pass only where there is proof."""

import pytest
from rich.console import Console

from dojo import record
from dojo.suite import devices
from dojo.validate import card, hardware
from dojo.validate.hardware import DeviceRecord, OnDevice
from dojo.verdict import FAILED, PASSED, SKIPPED, Drift, KataResult, Measured, TaskResult, TestResult

KATA = "k06_logistic_regression"
PASSING = {"model": {"outcome": PASSED, "seconds": 0.1}}


def result(*tests):
    return KataResult(KATA, 2, (TaskResult("model", tests),))


def test_only_tests_on_the_device_count_and_the_largest_drift():
    small, large = Drift("forward", 1e-7, 1e-6), Drift("forward", 1e-6, 1e-5)
    tests = (
        TestResult("test_a", PASSED, seconds=1.0, device="cuda", drift=(small,)),
        TestResult("test_a", FAILED, device="cpu"),
        TestResult("test_b", PASSED, seconds=0.5, device="cuda", drift=(large,)),
    )
    entry = hardware.on_device(result(*tests), "cuda", {})
    assert entry.tasks == {"model": {"outcome": PASSED, "seconds": 1.5}}
    assert entry.drift == {"forward": {"absolute": 1e-6, "relative": 1e-5}}
    assert entry.problems == []


def test_a_skip_on_the_device_is_no_pass():
    tests = (TestResult("test_a", PASSED, device="cuda"), TestResult("test_b", SKIPPED, device="cuda"))
    assert hardware.on_device(result(*tests), "cuda", {}).problems == ["model skipped"]


@pytest.mark.parametrize("relative", [2e-4, float("nan")])
def test_drift_beyond_its_tolerance_is_a_problem(relative):
    entry = OnDevice("", PASSING, {"forward": {"absolute": 0.0, "relative": relative}})
    assert "forward drifts by" in entry.problems[0]


def test_a_mark_is_held_only_by_all_trainings_and_one_that_broke_down_meets_none():
    numbers = [Measured("k06.train.distance", "", value, 0.01, True) for value in (0.001, 0.02, None)]
    tests = tuple(TestResult("test_a", PASSED, measured=(number,)) for number in numbers)
    met = hardware.marks_met(result(*tests))
    assert met == {"k06.train.distance": {"seeds": hardware.SEEDS, "met": 1}}
    assert OnDevice("", PASSING, {}, met).problems == [f"k06.train.distance met by 1 of {hardware.SEEDS} trainings"]


def made(entry=None, **changes):
    entry = entry or OnDevice(record.content_hash(KATA), PASSING, {"forward": {"absolute": 1e-7, "relative": 3e-7}})
    fields = {
        "device": "cuda",
        "model": "NVIDIA H200",
        "date": "2026-11-21",
        "versions": {"torch": "2.13.0"},
        "deterministic": "",
        "tolerance": {},
        "tolerance_why": "",
        "katas": {KATA: entry},
        "variants": {"passed": 4, "total": 4},
        "placement_mistakes": {"caught": 3, "total": 3},
    }
    return DeviceRecord(**(fields | changes))


def test_a_record_is_written_and_read_back_and_keeps_other_katas(monkeypatch, tmp_path):
    monkeypatch.setattr(hardware, "FOLDER", tmp_path)
    hardware.write(made(katas={"k07_hidden_layer": OnDevice("old", PASSING)}))
    path = hardware.write(made())
    assert path.name == "cuda-nvidia-h200.json"
    assert hardware.read(path).katas == {"k07_hidden_layer": OnDevice("old", PASSING)} | made().katas


def shown(monkeypatch, catalog, records):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(card.table([catalog.find("k06")], records))
    return captured.get()


def test_the_card_says_not_run_where_there_is_no_record(monkeypatch, catalog):
    text = shown(monkeypatch, catalog, [])
    assert text.count("not run") == 2
    assert "passed" not in text


def test_the_card_says_what_was_reached(monkeypatch, catalog):
    text = shown(monkeypatch, catalog, [made()])
    assert "passed  1 task, drift 3e-07" in text
    assert "cuda: NVIDIA H200" in text


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (OnDevice("older", PASSING), "older"),
        (OnDevice(record.content_hash(KATA), {"model": {"outcome": SKIPPED, "seconds": 0.0}}), "FAILED"),
        (OnDevice(record.content_hash(KATA)), "no tests"),
    ],
)
def test_the_card_never_calls_passed_what_is_older_skipped_or_empty(entry, state):
    assert card.cell(KATA, made(entry))[0] == state


def test_a_record_that_is_broken_is_named(tmp_path):
    (tmp_path / "cuda-broken.json").write_text('{"device": "cuda"')
    (tmp_path / "mps-empty.json").write_text("[]")
    assert card.load(tmp_path) == ([], ["cuda-broken.json", "mps-empty.json"])


def test_placement_tests_are_found_by_their_mark(catalog):
    found = hardware.placement_tests(catalog.find("k06"))
    assert "test_follows_its_device" in found
    assert "test_prints_the_architecture" not in found


@pytest.mark.parametrize(("wanted", "said"), [("gpu", "There is no device 'gpu'"), ("cuda", "Nothing was validated on cuda")])
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
