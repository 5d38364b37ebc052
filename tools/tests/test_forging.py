"""What known mistakes would earn if their process lied about itself: the proof and its list."""

import pytest

from dojo.exam import sheet
from dojo.exam.values import Numbers
from dojo.validate import forging, patches

EXAM = """
import torch
from dojo.exam import question

@question("flag")
def flags(kata, draw):
    x = draw.normal(4)
    before = x.clone()
    kata.double(x)
    return {"untouched": torch.equal(x, before)}

@question("value")
def values(kata, draw):
    x = draw.normal(4)
    return {"doubled": kata.double(x), "x": x, "kind": type(x).__name__}
"""
RIGHT = "def double(x): return 2 * x"
SPOILS = "def double(x): return x.mul_(2)"


@pytest.fixture
def credited(monkeypatch, tmp_path):
    """A function: does this source earn this task if its process lies?"""
    monkeypatch.setattr(sheet, "text_of", lambda kata: EXAM)
    monkeypatch.setattr(forging.sheet, "text_of", lambda kata: EXAM)
    (tmp_path / "k99_tiny.py").write_text(RIGHT)
    draw = sheet.draw
    monkeypatch.setattr(forging.sheet, "draw", lambda kata, secret: draw(kata, secret, tmp_path))

    def earns(source: str, task: str) -> bool:
        return bool(forging.earning("k99_tiny", {"it": (source, (task,))}, {}))

    return earns


def test_a_flag_can_be_forged_and_a_value_that_is_drawn_cannot(credited):
    assert credited(SPOILS, "flag")
    assert not credited(SPOILS, "value")
    assert credited(RIGHT, "value")


def test_a_mistake_that_gives_no_answer_has_nothing_to_forge(credited):
    assert not credited("def double(x): raise ValueError", "flag")
    assert not credited("import no_such_module", "flag")


def test_places_and_recording_are_forged_and_numbers_are_not():
    import numpy as np

    own = Numbers("tensor", np.zeros(2), "cpu", False)
    right = Numbers("tensor", np.ones(2), "meta", True)
    (lie,) = forging.forged([own], [right], "q", set(), set())
    assert (lie.device, lie.requires_grad) == ("meta", True) and not lie.data.any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[trusted]]", "malformed"),
        ('[[trusted]]\nkata = "k01"\nmistakes = []\nwhy = " "', "no reason"),
        ("[[", "malformed"),
    ],
)
def test_a_list_that_gives_no_reason_is_refused(tmp_path, text, says):
    path = tmp_path / "forging.toml"
    path.write_text(text)
    with pytest.raises(forging.ForgingError, match=says):
        forging.trusted("k01", path)


def test_what_is_listed_has_to_be_credited_and_the_other_way_round(monkeypatch):
    monkeypatch.setattr(forging, "trusted", lambda kata: ["one", "two"])
    more, less = forging.faults("k01", ["two", "three"])
    assert "'three'" in more and "judge that outside" in more
    assert "'one'" in less and "take it off" in less
    assert forging.faults("k01", ["one", "two"]) == []


def test_only_known_mistakes_are_listed(catalog):
    for kata in catalog.katas:
        known = {mistake.name for mistake in patches.load("mistake", kata.name)}
        assert set(forging.trusted(kata.name)) <= known
