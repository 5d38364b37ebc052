"""What a learner's code prints is kept with the test it was printed in, and shown."""

import pytest
from helpers import by_name

from dojo.results import Outcome
from dojo.suite.printed import excerpt

FORWARD = "        return self.sigmoid(self.linear(x))\n"
LOUD = f'        print("scores", [1, 2])\n{FORWARD}'


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("", ""),
        ("\n\n", ""),
        ("one\n\ntwo\n", "one\n\ntwo"),
        ("a\tb\n", "a   b"),
        ("10 %\r50 %\r100 %\n", "100 %"),
        ("windows\r\n", "windows"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07end", "red end"),
        ("\x1b[2J\x07bell\x00 \u202eturned", "bell turned"),
        ("half \ud800 a pair", "half  a pair"),
        ("w" * 300, f"{'w' * 200} … (100 more characters)"),
    ],
)
def test_it_is_text_that_stays_in_its_place(printed, shown):
    assert excerpt(printed) == shown


def test_of_many_lines_the_first_and_the_last_are_shown():
    lines = excerpt("".join(f"epoch {number}\n" for number in range(1000))).splitlines()
    assert lines[9:12] == ["epoch 9", "… 980 more lines …", "epoch 990"]
    assert (lines[0], lines[-1], len(lines)) == ("epoch 0", "epoch 999", 21)


def test_a_test_keeps_what_was_printed_in_it_passed_or_failed(judge, reference):
    wrong = LOUD.replace("self.sigmoid(self.linear(x))", "self.linear(x)")
    for text, outcome in ((LOUD, Outcome.PASSED), (wrong, Outcome.FAILED)):
        tests = by_name(judge(reference.replace(FORWARD, text)))
        test = tests["test_output_is_the_sigmoid_of_the_scores[3]"]
        assert test.outcome == outcome
        assert set(test.printed.splitlines()) == {"scores [1, 2]"}
        assert not tests["test_prints_the_architecture"].printed


def test_what_an_import_prints_is_kept_with_the_first_test(judge, reference):
    end = '\nimport sys\nprint("hello")\nprint("oh", file=sys.stderr)\n1 / 0\n'
    first, *_ = judge(reference + end).tests
    assert first.outcome == Outcome.FAILED
    assert first.printed.splitlines() == ["hello", "oh"]


def test_what_it_prints_without_end_is_kept_in_part(judge, reference):
    text = f'        while True:\n            print("again")\n{FORWARD}'
    test = by_name(judge(reference.replace(FORWARD, text)))["test_prints_the_architecture"]
    assert test.outcome in (Outcome.PASSED, Outcome.FAILED)
    (failed, *_) = [t for t in judge(reference.replace(FORWARD, text)).tests if t.printed]
    assert failed.outcome == Outcome.FAILED
    assert "more lines" in failed.printed
