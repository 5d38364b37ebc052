"""What a device's record holds, and what the report card makes of it: a pass only where there is
proof.
"""

import pytest
from rich.console import Console

from dojo import files, reference_results, simulated
from dojo.diagnosis import Diagnosis
from dojo.results import NO_TEST, Drift, KataResult, Measured, Outcome, TaskResult, TestResult
from dojo.validate import device_record, hardware, test_files
from dojo.validate.device_record import (
    DeviceRecord,
    Difference,
    MarkMet,
    Mistakes,
    OnDevice,
    TaskOnDevice,
    Variants,
)
from dojo.validate.patches import Patch

KATA = "k06_logistic_regression"
PASSING = {"model": TaskOnDevice(Outcome.PASSED, 0.1)}
MARK = "k06.train.distance"


def result(*tests, **others):
    """Of k06: the tests of its task "model", and those of other tasks by name."""
    return KataResult(
        KATA,
        2,
        tuple(TaskResult(name, found) for name, found in {"model": tests, **others}.items()),
    )


def test_only_tests_on_the_device_count_and_the_largest_drift():
    small, large = Drift("forward", 1e-7, 1e-6), Drift("forward", 1e-6, 1e-5)
    tests = (
        TestResult("test_a", Outcome.PASSED, seconds=1.0, device="cuda", drift=(small,)),
        TestResult("test_a", Outcome.FAILED, device="cpu"),
        TestResult("test_b", Outcome.PASSED, seconds=0.5, device="cuda", drift=(large,)),
    )
    entry = hardware.on_device(result(*tests), "cuda")
    assert entry.tasks == {"model": TaskOnDevice(Outcome.PASSED, 1.5)}
    assert entry.drift == {"forward": Difference(1e-6, 1e-5)}
    assert entry.problems == []


def test_a_skip_on_the_device_is_no_pass():
    tests = (
        TestResult("test_a", Outcome.PASSED, device="cuda"),
        TestResult("test_b", Outcome.SKIPPED, device="cuda"),
    )
    assert hardware.on_device(result(*tests), "cuda").problems == ["model skipped"]


@pytest.mark.parametrize("relative", [2e-4, float("nan"), None])
def test_drift_beyond_its_tolerance_is_a_problem(relative):
    entry = OnDevice("", tasks=PASSING, drift={"forward": Difference(0.0, relative)})
    assert "forward drifts by" in entry.problems[0]


def test_a_mark_is_held_only_by_all_trainings_and_one_that_broke_down_meets_none():
    numbers = [Measured(MARK, "", value, 0.01, True) for value in (0.001, 0.02, None)]
    tests = tuple(TestResult("test_a", Outcome.PASSED, measured=(number,)) for number in numbers)
    met = hardware.marks_met(result(*tests), [MARK])
    assert met == {MARK: MarkMet(hardware.SEEDS, 1)}
    assert OnDevice("", tasks=PASSING, marks=met).problems == [
        f"{MARK} met by 1 of {hardware.SEEDS} trainings"
    ]


def test_a_mark_is_met_by_none_where_all_trainings_break_down():
    """They raise before anything is measured, or after it: that a number was reached first makes no
    training whole.
    """
    reached = Measured(MARK, "", 0.001, 0.01, True)
    tests = (
        TestResult("test_a", Outcome.FAILED),
        TestResult("test_a", Outcome.FAILED, measured=(reached,)),
    )
    met = hardware.marks_met(result(*tests), [MARK])
    assert OnDevice("", tasks=PASSING, marks=met).problems == [
        f"{MARK} met by 0 of {hardware.SEEDS} trainings"
    ]


def test_a_kata_has_the_marks_of_the_file(catalog):
    assert hardware.marks_of(catalog.find("k06")) == [MARK]
    assert hardware.marks_of(catalog.find("k00")) == []


def test_a_child_that_never_started_is_a_problem():
    # on no device: the record says "cpu"
    silent = TestResult(NO_TEST, Outcome.ERROR, "The suite gave no report on 'model'.")
    assert hardware.on_device(result(silent), "cuda").problems == [
        "model error: The suite gave no report on 'model'."
    ]


OWN = TestResult("test_a", Outcome.SKIPPED, "nobody picks it", device=simulated.NAME)
THERE = TestResult("test_b", Outcome.PASSED, device=simulated.NAME)


def test_a_test_that_leaves_the_simulated_device_out_is_no_problem_and_no_pass():
    entry = hardware.on_device(result(OWN, move=(THERE,)), simulated.NAME)
    assert entry.problems == []
    assert entry.passed == ["move"]
    kept = OnDevice(reference_results.content_hash(KATA), tasks=entry.tasks)
    assert device_record.cell(KATA, made(kept)) == (
        "passed",
        "1 task, model skipped: nobody picks it",
    )


@pytest.mark.parametrize(
    ("where", "tests"),
    [
        (simulated.NAME, (OWN,)),  # nothing ran there: the device may not be there at all
        (
            simulated.NAME,
            (
                THERE,
                TestResult(
                    "test_a", Outcome.SKIPPED, f"{simulated.LIMIT}no sort", device=simulated.NAME
                ),
            ),
        ),
        (
            "cuda",
            (
                TestResult("test_a", Outcome.SKIPPED, "nobody picks it", device="cuda"),
                TestResult("test_b", Outcome.PASSED, device="cuda"),
            ),
        ),
    ],
)
def test_other_skips_are_problems_that_say_why(where, tests):
    skipped = next(test for test in tests if test.outcome == Outcome.SKIPPED)
    assert hardware.on_device(result(*tests), where).problems == [
        f"model skipped: {skipped.message}"
    ]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR, "blocked", Outcome.SKIPPED])
def test_a_right_solution_passes_only_where_all_its_tests_there_pass(outcome):
    passed = TestResult("test_a", Outcome.PASSED, device="cuda")
    assert hardware.variant_problems(result(passed), "cuda") == []
    assert hardware.variant_problems(
        result(passed, TestResult("test_b", outcome, device="cuda")), "cuda"
    )


def test_a_right_solution_without_a_test_there_has_not_passed():
    assert hardware.variant_problems(result(TestResult("test_a", Outcome.PASSED)), "cuda") == [
        "no test of it passed on cuda"
    ]


class TestMistakes:
    """k06 with one mistake of placement; the runs on the device and on the CPU give what the test
    says.
    """

    @pytest.fixture
    def judged(self, monkeypatch, catalog):
        def find(on="cuda", words="told", **outcomes):
            def run(units, katas):
                return [result(test_a(unit.device)) for unit in units]

            def test_a(device):
                why = Diagnosis(words) if outcomes[device] == Outcome.FAILED else None
                return TestResult("test_a", outcomes[device], device=device, diagnosis=why)

            mistake = Patch(KATA, "one", (), (), caught_by="test_a", saying="told")
            monkeypatch.setattr(test_files, "run", run)
            monkeypatch.setattr(hardware, "placement_tests", lambda kata: {"test_a"})
            monkeypatch.setattr(hardware.patches, "load", lambda kind, kata: [mistake])
            ((_, figures, wrong),) = hardware.mistakes_on(on, [catalog.find("k06")])
            return figures, wrong

        return find

    def test_one_that_is_caught_there_counts(self, judged):
        assert judged(cuda=Outcome.FAILED, cpu=Outcome.PASSED) == (
            Mistakes(1, 0, 1),
            [],
        )

    def test_one_that_is_caught_on_the_cpu_alone_is_not_counted_as_caught_there(self, judged):
        figures, wrong = judged(cuda=Outcome.PASSED, cpu=Outcome.FAILED)
        assert (figures, wrong) == (Mistakes(0, 1, 1), [])
        entry = OnDevice(reference_results.content_hash(KATA), tasks=PASSING, mistakes=figures)
        assert "caught there: 0/1, 1 more elsewhere" in device_record.summary(made(entry))

    def test_on_the_cpu_a_forgotten_move_is_caught_on_the_simulated_device(self, judged):
        """On the CPU alone it does no harm: that is no fault of the tests."""
        found = judged(on="cpu", cpu=Outcome.PASSED, simulated=Outcome.FAILED)
        assert found == (Mistakes(0, 1, 1), [])
        _, wrong = judged(on="cpu", cpu=Outcome.PASSED, simulated=Outcome.SKIPPED)
        assert "test_a is skipped, not failed" in wrong[0]

    def test_a_written_in_gpu_ends_in_other_words_where_there_is_one(self, judged):
        found = judged(words="two devices", cuda=Outcome.PASSED, cpu=Outcome.FAILED)
        assert found == (Mistakes(0, 1, 1), [])

    def test_one_that_is_caught_nowhere_is_a_problem(self, judged):
        figures, wrong = judged(cuda=Outcome.PASSED, cpu=Outcome.PASSED)
        assert "test_a is passed, not failed" in wrong[0]
        assert OnDevice("", tasks=PASSING, mistakes=figures).problems


class TestExamine:
    """What is run, and what is left, where the suite's answers are made up."""

    @pytest.fixture
    def asked(self, monkeypatch):
        monkeypatch.setattr(hardware.patches, "load", lambda kind, kata: [])
        monkeypatch.setattr(hardware, "model_of", lambda device: "H200")

        def examine(katas, answer):
            units = []

            def run(wanted, katas):
                units.extend(wanted)
                return [answer(unit) for unit in wanted]

            for module in (hardware, test_files):
                monkeypatch.setattr(module, "run", run)
            return *hardware.examine("cuda", katas, say=lambda text: None), units

        return examine

    def test_a_kata_without_tests_on_the_device_is_not_trained_and_not_passed(self, asked, catalog):
        numpy_only = catalog.find("k15")

        def answer(unit):
            return KataResult(
                unit.kata, 4, (TaskResult("init", (TestResult("test_a", Outcome.PASSED),)),)
            )

        found, problems, units = asked([numpy_only], answer)
        assert [bool(unit.measure) for unit in units] == [False]
        assert problems == []
        assert device_record.cell(numpy_only.name, found) == ("no tests", "on a device")

    def test_tasks_that_train_nothing_are_not_missed_while_marks_are_measured(self, asked, catalog):
        reached = tuple(
            TestResult("test_a", Outcome.PASSED, measured=(Measured(MARK, "", 0.001, 0.01, True),))
            for _ in range(5)
        )

        def answer(unit):
            silent = TestResult(NO_TEST, Outcome.ERROR, "The suite gave no report on 'model'.")
            return (
                result(silent, train=reached)
                if unit.measure
                else result(TestResult("test_a", Outcome.PASSED, device="cuda"))
            )

        found, problems, _ = asked([catalog.find("k06")], answer)
        assert problems == []
        assert device_record.cell(KATA, found) == ("passed", "1 task, marks held, 5 seeds")

    def test_trainings_that_all_break_down_are_problems(self, asked, catalog):
        def answer(unit):
            return result(
                TestResult(
                    "test_a",
                    Outcome.FAILED if unit.measure else Outcome.PASSED,
                    "too slow",
                    device="cuda",
                )
            )

        found, problems, _ = asked([catalog.find("k06")], answer)
        assert f"{KATA}: {MARK} met by 0 of {hardware.SEEDS} trainings" in problems
        assert any("while training: test_a" in problem for problem in problems)
        assert device_record.cell(KATA, found)[0] == "FAILED"


def made(entry=None, **changes):
    drift = {"forward": Difference(1e-7, 3e-7)}
    entry = entry or OnDevice(
        reference_results.content_hash(KATA), "2026-11-21", {"torch": "2.13.0"}, PASSING, drift
    )
    return DeviceRecord(
        **(
            {"device": "cuda", "model": "NVIDIA H200", "deterministic": "", "katas": {KATA: entry}}
            | changes
        )
    )


def test_a_record_is_written_and_read_back_and_keeps_all_that_it_said_of_other_katas(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(device_record, "FOLDER", tmp_path)
    figures = Mistakes(3, 1, 4)
    earlier = OnDevice(
        "old",
        "2025-01-01",
        {"torch": "2.12.0"},
        PASSING,
        variants=Variants(5, 5),
        mistakes=figures,
    )
    device_record.write(made(katas={"k07_hidden_layer": earlier}))
    path = device_record.write(made())
    assert [file.name for file in tmp_path.glob("*.json")] == ["cuda-nvidia-h200.json"]
    both = files.read_json(path, DeviceRecord)
    assert both.katas == {"k07_hidden_layer": earlier} | made().katas
    told = device_record.summary(both)
    assert "1 kata on 2025-01-01, torch 2.12.0" in told
    assert "1 kata on 2026-11-21, torch 2.13.0" in told
    assert "solutions passed: 5/5. Placement mistakes caught there: 3/4, 1 more" in told


def test_a_record_names_only_settings_that_are_made():
    assert "use_deterministic_algorithms" in hardware.deterministic("cuda:1")
    assert "nothing is set" in hardware.deterministic("mps")


def shown(monkeypatch, catalog, records):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(device_record.table([catalog.find("k06")], records))
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
        (OnDevice("older", tasks=PASSING), "older"),
        (
            OnDevice(
                reference_results.content_hash(KATA),
                tasks={"model": TaskOnDevice(Outcome.SKIPPED, 0.0)},
            ),
            "FAILED",
        ),
        (
            OnDevice(
                reference_results.content_hash(KATA),
                tasks={"model": TaskOnDevice(device_record.LEFT_OUT, 0.0, skipped=("why",))},
            ),
            "skipped",
        ),
        (
            OnDevice(reference_results.content_hash(KATA), marks={MARK: MarkMet(5, 5)}),
            "no tests",
        ),
    ],
)
def test_the_card_never_calls_passed_what_is_older_skipped_or_empty(entry, state):
    assert device_record.cell(KATA, made(entry))[0] == state


def test_a_record_that_is_broken_is_named(tmp_path):
    (tmp_path / "cuda-broken.json").write_text('{"device": "cuda"')
    (tmp_path / "mps-empty.json").write_text("[]")
    (tmp_path / "mps-strange.json").write_text(
        '{"device": "mps", "katas": {"k06": {"content": "", "tasks": {"model": 3}}}}'
    )
    assert device_record.load(tmp_path) == (
        [],
        ["cuda-broken.json", "mps-empty.json", "mps-strange.json"],
    )


def test_placement_tests_are_found_by_their_mark(catalog):
    found = hardware.placement_tests(catalog.find("k06"))
    assert "test_follows_its_device" in found
    assert "test_prints_the_architecture" not in found
