"""Files that no learner meant to write: each is a clear failure of its kata, and nothing else
happens.
"""

import sys
from dataclasses import replace

import pytest
from helpers import by_name, first_message, outcomes

from dojo import ROOT
from dojo.catalog import load
from dojo.results import Outcome
from dojo.stubs import stub_of
from dojo.suite import supervisor as run_module
from dojo.suite.unit import Unit

ALL_FAILED = {"model": Outcome.FAILED, "train": Outcome.FAILED, "boundary": Outcome.FAILED}
FORWARD = "return self.sigmoid(self.linear(x))"
IN_BOUNDARY = "    with torch.no_grad():\n"  # the first line of decision_boundary
LAYERS = """        self.linear = nn.Linear(num_features, num_labels)
        self.sigmoid = nn.Sigmoid()
"""
ENDLESS_LOOP = "    while (x1 == x1).all():\n        pass\n    if True:\n"
STUBBORN_LOOP = """    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
    if True:
"""
LIAR = """class Liar(torch.Tensor):
    def __eq__(self, other):
        return True

    def __torch_function__(self, *arguments, **named):
        return True


"""


def test_half_a_surrogate_pair_does_not_break_the_report(judge, reference):
    result = judge(reference.replace(FORWARD, r'raise ValueError("half \ud800 a pair")'))
    assert result.outcome == Outcome.FAILED
    assert "half ? a pair" in first_message(result)


def test_the_reference_passes(judge, reference):
    result = judge(reference)
    assert result.outcome == Outcome.PASSED
    assert [number.mark for number in result.measured] == ["k06.train.distance"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import torch\ndef f(:\n    pass\n",
            [".py:2 is not valid Python", "def f(:", "SyntaxError"],
        ),
        ("import torch\nx = 1 / 0\n", ["can't be imported", "ZeroDivisionError", ".py:2"]),
        ("import no_such_package\n", ["can't be imported", "ModuleNotFoundError", ".py:1"]),
        ("import sys\nsys.exit(0)\n", ["can't be imported", "SystemExit", ".py:2"]),
        ("import pytest\npytest.exit('all fine', 0)\n", ["can't be imported", ".py:2"]),
        (
            "import os\nos._exit(0)\n",
            ["The import of this file broke off, and gave no result.", "exit code 0"],
        ),
        (b"x = 1\n# caf\xe9\n", [".py:2 is not UTF-8 text", "0xe9", "choose UTF-8"]),
        ("x = '\0'\n", ["is not valid Python", "null bytes"]),
        (
            "while True:\n    print('x' * 10_000)\n",
            ["can't be imported", "characters were printed", ".py:2"],
        ),
    ],
    ids=[
        "syntax",
        "exception",
        "import",
        "sys.exit",
        "pytest.exit",
        "os._exit",
        "encoding",
        "null byte",
        "flood",
    ],
)
def test_a_file_that_cannot_be_read_fails_its_kata(judge, source, says):
    result = judge(source)
    assert outcomes(result) == ALL_FAILED
    for words in says:
        assert words in first_message(result)
    causes = [task.first_problem.diagnosis.likely for task in result.tasks]
    assert all(cause.id.startswith("error.") for cause in causes[0])
    assert all(each == causes[0] for each in causes)


def test_an_endless_loop_at_import_fails_the_kata_with_its_line(judge):
    result = judge("import torch\nwhile True:\n    pass\n", timeout=3)
    assert outcomes(result) == ALL_FAILED
    assert "still running after 3 s of computing" in first_message(result)
    assert "k06_logistic_regression.py:" in first_message(result)


def test_a_missing_file_says_how_to_get_the_stub_back(tmp_path, catalog):
    result = run_module.run([Unit(str(tmp_path), "k06_logistic_regression", "cpu")], catalog.katas)[
        0
    ]
    assert outcomes(result) == ALL_FAILED
    assert "check reset k06" in first_message(result)


def test_line_ends_of_windows_and_a_byte_order_mark_are_fine(judge, reference):
    assert (
        judge(b"\xef\xbb\xbf" + reference.replace("\n", "\r\n").encode()).outcome == Outcome.PASSED
    )


def test_a_missing_name_fails_only_the_tests_that_use_it(judge, reference):
    result = judge(reference.replace("def decision_boundary(", "def decision_boundry("))
    assert outcomes(result) == {
        "model": Outcome.PASSED,
        "train": Outcome.PASSED,
        "boundary": Outcome.FAILED,
    }
    assert "has no name 'decision_boundary'" in result.tasks[2].first_problem.message
    assert "decision_boundry" in result.tasks[2].first_problem.message


def test_an_assertion_of_torch_or_of_their_own_is_an_error_in_their_code(judge, reference):
    result = judge(
        reference.replace(
            IN_BOUNDARY,
            "    raise AssertionError('Torch not compiled with CUDA enabled')\n" + IN_BOUNDARY,
        )
    )
    message = result.tasks[2].first_problem.message
    assert message.startswith("Your code raised an error.")
    assert "a GPU is written into the code" in message


def test_code_that_asks_for_a_gpu_is_told_that_there_is_one(judge, reference):
    asks = "    if torch.cuda.is_available():\n"
    raises = "        raise AssertionError('Torch not compiled with CUDA enabled')\n"
    result = judge(reference.replace(IN_BOUNDARY, asks + raises + IN_BOUNDARY))
    assert "where there is a GPU" in result.tasks[2].first_problem.message


def test_an_endless_loop_is_one_failed_test(judge, reference):
    result = judge(reference.replace(IN_BOUNDARY, ENDLESS_LOOP), timeout=3)
    assert (outcomes(result)["model"], outcomes(result)["boundary"]) == (
        Outcome.PASSED,
        Outcome.FAILED,
    )
    message = result.tasks[2].first_problem.message
    assert "an endless loop" in message
    assert "in decision_boundary" in message
    first, *others = (test.outcome for test in result.tasks[2].tests)
    assert first == Outcome.FAILED
    assert set(others) == {Outcome.BLOCKED}


def test_code_that_waits_is_ended_by_the_clock(judge, reference):
    sleep = "    __import__('time').sleep(1000)\n"
    result = judge(reference.replace(IN_BOUNDARY, sleep + IN_BOUNDARY), timeout=2)
    message = result.tasks[2].first_problem.message
    assert "not done after 16.0 s by the clock" in message
    assert "your code waits: time.sleep()" in message


def test_code_that_cannot_be_interrupted_is_ended_from_outside(judge, reference, monkeypatch):
    monkeypatch.setattr(run_module, "SECONDS_OF_SILENCE", 6)
    monkeypatch.setattr(run_module, "PATIENCE", 1)
    result = judge(reference.replace(IN_BOUNDARY, STUBBORN_LOOP), timeout=3)
    assert (outcomes(result)["model"], outcomes(result)["boundary"]) == (
        Outcome.PASSED,
        Outcome.FAILED,
    )
    assert "ended from outside" in result.tasks[2].first_problem.message


def test_a_process_that_ends_in_a_test_fails_that_test_and_the_rest_is_judged(judge, reference):
    way_out = "    if len(x1) == 11:\n        __import__('os')._exit(0)\n    if True:\n"
    result = judge(reference.replace(IN_BOUNDARY, way_out))
    tests = by_name(result)
    assert "exit code 0" in tests["test_the_model_is_undecided_there[11]"].message
    assert tests["test_gives_no_gradient"].outcome == Outcome.FAILED
    assert "still records gradients" in tests["test_gives_no_gradient"].message
    assert outcomes(result)["train"] == Outcome.PASSED


@pytest.mark.parametrize(
    ("way_out", "says"),
    [
        ("__import__('os')._exit(3)", "exit code 3"),
        ("__import__('ctypes').string_at(0)", "a crash in native code, SIGSEGV"),
        ("__import__('os').abort()", "a crash in native code, SIGABRT"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "the system ended it"),
    ],
)
def test_a_process_that_ends_costs_no_other_task_anything(judge, reference, way_out, says):
    """In every test of a task, the first one of all, which imports the file, among them."""
    result = judge(reference.replace(FORWARD, f"{way_out}\n        {FORWARD}"))
    assert outcomes(result)["model"] == Outcome.FAILED
    assert says in first_message(result)
    assert "import" not in first_message(result)
    model = [test.outcome for test in result.tasks[0].tests]
    assert model.count(Outcome.FAILED) == 2 and Outcome.BLOCKED in model
    result = judge(reference.replace(IN_BOUNDARY, f"    {way_out}\n{IN_BOUNDARY}"))
    assert outcomes(result) == {
        "model": Outcome.PASSED,
        "train": Outcome.PASSED,
        "boundary": Outcome.FAILED,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_processor_time_that_is_used_up_is_told_as_that(judge, reference):
    limit = "resource.setrlimit(resource.RLIMIT_CPU, (1, 2))"
    burns = f"    import resource; {limit}\n    while True: pass\n"
    result = judge(reference.replace(IN_BOUNDARY, burns + IN_BOUNDARY))
    assert "the processor time there is for a kata" in result.tasks[2].first_problem.message
    assert outcomes(result)["train"] == Outcome.PASSED


@pytest.mark.parametrize(
    "way_out",
    ["import pytest; pytest.skip('no')", "import pytest; pytest.exit('done', 0)", "exit(0)"],
)
def test_no_way_out_of_a_test_is_a_pass_or_a_skip(judge, reference, way_out):
    result = judge(reference.replace(FORWARD, f"{way_out}\n        {FORWARD}"))
    assert outcomes(result)["model"] == Outcome.FAILED
    assert outcomes(result)["train"] in (Outcome.FAILED, Outcome.BLOCKED)


def test_printing_without_end_is_stopped(judge, reference):
    result = judge(reference.replace(FORWARD, "while True:\n            print('hello')"))
    assert "more than 200,000 characters were printed" in first_message(result)


def test_an_object_that_equals_everything_does_not_pass(judge, reference):
    source = reference.replace("class Logistic", LIAR + "class Logistic").replace(
        FORWARD, "return Liar(self.linear(x))"
    )
    assert outcomes(judge(source))["model"] == Outcome.FAILED


def test_an_open_region_reads_not_started_and_what_needs_it_is_blocked(judge, reference):
    stub = stub_of(reference, ["model", "train", "boundary"])
    assert outcomes(judge(stub)) == dict.fromkeys(
        ("model", "train", "boundary"), Outcome.NOT_STARTED
    )
    result = judge(reference.replace(LAYERS, '        raise NotImplementedError("model")\n'))
    assert outcomes(result) == {
        "model": Outcome.NOT_STARTED,
        "train": Outcome.BLOCKED,
        "boundary": Outcome.BLOCKED,
    }


def test_what_torch_has_not_implemented_is_no_task_that_waits(judge, reference):
    result = judge(reference.replace(FORWARD, "return self.linear(x) & self.linear(x)"))
    assert outcomes(result)["model"] == Outcome.FAILED
    assert "compare first" in first_message(result)
    assert "still raises" not in first_message(result)


def test_a_failed_task_blocks_what_needs_it(judge, reference):
    result = judge(reference.replace(FORWARD, "return self.linear(x)"))
    assert outcomes(result) == {
        "model": Outcome.FAILED,
        "train": Outcome.BLOCKED,
        "boundary": Outcome.BLOCKED,
    }
    assert "raw scores" in first_message(result)
    assert "before 'model' passes" in result.tasks[1].first_problem.message


def test_one_broken_kata_leaves_the_others_alone(tmp_path):
    katas = load().katas
    for kata in katas:
        (tmp_path / f"{kata.name}.py").write_text(
            "def f(:\n" if kata.short == "k06" else "import torch\nx = 1\n"
        )
    (tmp_path / "k01_tensors.py").write_text((ROOT / "reference" / "k01_tensors.py").read_text())
    first_two = [kata for kata in katas if kata.short in ("k01", "k06")]
    results = run_module.run([Unit(str(tmp_path), kata.name, "cpu") for kata in first_two], katas)
    assert [result.outcome for result in results] == [Outcome.PASSED, Outcome.FAILED]


def test_a_suite_that_gives_no_report_is_an_error(tmp_path, monkeypatch, catalog):
    unknown = replace(catalog.katas[0], name="k99_not_there")
    result = run_module.run([Unit(str(tmp_path), "k99_not_there", "cpu")], [unknown])[0]
    assert result.outcome == "error"
    assert "gave no report" in first_message(result)


def test_a_conftest_that_lies_with_the_katas_is_not_run(judge, tmp_path, reference):
    (tmp_path / "conftest.py").write_text("raise SystemExit(0)\n")
    assert judge(reference).outcome == Outcome.PASSED
