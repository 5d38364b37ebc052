"""k00: five questions, each judged by itself. The right answers stand here as hashes only."""

import hashlib
import re

import pytest

from dojo.suite.loader import source_of
from dojo.suite.plugin import NotStarted
from tests.support import expect

# Question → hash of the right answer. To hash what a learner chose says whether it is right, and
# not what would be.
RIGHT = {
    "network": "fd0cebacdc20",
    "sizes": "9aa8d4e9af39",
    "descent": "7c12745758a5",
    "kinds": "30c5b5dd71b0",
    "accuracy": "fb3759c95f40",
}

# Hash of a single letter wrongly chosen or left out → what to think over.
THINK = {
    "a57125e7630c": (
        "W is (nodes, inputs): which relation between these two sizes does X @ W.T + b demand?"
    ),
    "5bea9ad80c8a": (
        "what kind of function is a chain of linear layers, with and without something between"
        " them?"
    ),
    "ba531e248933": "which numbers can such a node give, and which numbers are prices?",
    "4485df65d495": (
        "would anything break in the formula of a layer if the next layer had another activation"
        " function?"
    ),
    "fdb5f2ec7c35": (
        "read Z = ... and A = ... of the lesson from left to right: when does b come in?"
    ),
    "841a82169f08": "count the hidden layers, and read again what the lesson calls deep",
    "cd0b30463fb9": (
        "read the shape of W off the lesson: which of its two sizes is the number of nodes?"
    ),
    "eca71012582b": (
        "for data with 3 features and 2 classes, which sizes would have to change, and which"
        " would not?"
    ),
    "b2c768a5aa0a": (
        "b has one number for each node: how many nodes does each of the three layers have?"
    ),
    "c1429767b4e2": "look at A = activation(Z): which numbers in it could training adjust?",
    "db8e05dd8b20": (
        "go through the moves of training: which only compute something, and which one writes to"
        " the parameters?"
    ),
    "c1b1cc0dbc24": (
        "take the loss w * w at w = 3: its slope is 6. Where does the loss grow, and where does"
        " the update go?"
    ),
    "4111643e0793": "what becomes of the distance moved when the learning rate is halved?",
    "2ad09ca8d5bc": "put the three numbers into the update of the lesson, one by one",
    "421a08f9589f": (
        "take the loss w * w at w = 3, where the gradient is 6: where does a learning rate of 2"
        " lead?"
    ),
    "2fbc3abac6e4": "count the classes that the question knows: two, or more?",
    "9a950817a894": "count the digits there are, and how many of them one example can belong to",
    "c0f5700546eb": "take a single example: how many of the labels may it have?",
    "1ada338f6dc6": "is the answer the name of a class, or a quantity?",
    "42eb143e99a3": "count the species in question, and how many of them one example can belong to",
    "f77bbd2ca907": "accuracy is the share of right answers: count them, over all 100 patients",
    "af1ec62df10c": "which of the model's answers depend on the patient?",
    "a8768742ae61": "how many of the 5 ill patients does the model find? Put that into recall",
    "3c17ec0f0e59": "count the right answers again, with 50 patients in each group",
    "42c3e73672c0": "how many of the 100 answers does this other model get wrong?",
}


def questions():
    return [
        pytest.param(question, marks=pytest.mark.task(question), id=question) for question in RIGHT
    ]


class TestAnswers:
    @pytest.mark.parametrize("question", questions())
    def test_all_that_is_true_is_chosen_and_nothing_else(self, kata, question):
        headline, chosen = f"Question {question}{line_of(kata, question)}", letters(kata, question)
        if digest(question, "".join(sorted(chosen))) != RIGHT[question]:
            looked_at = [
                digest(question, letter, "chosen" if letter in chosen else "left out")
                for letter in "ABCDE"
            ]
            reason = next(THINK[key] for key in looked_at if key in THINK)
            expected = "all choices that are true, and no other"
            likely = f"think about at least one choice again: {reason}"
            expect.unmet(
                f"{headline}: not the right choices.",
                seen=", ".join(sorted(chosen)),
                expected=expected,
                likely=likely,
                pointer=f"Which lines of the lesson help? And: tools/check hint k00 {question}",
            )


def line_of(kata, question: str) -> str:
    """Where the answer stands, for a headline; nothing where its line is written in another way."""
    found = re.search(rf'^\s*"{question}":', source_of(kata), re.MULTILINE)
    return f" (line {source_of(kata)[: found.end()].count(chr(10)) + 1})" if found else ""


def letters(kata, question: str) -> set[str]:
    """The chosen letters, in capitals, after a check that they can be read."""
    answers = kata.ANSWERS
    headline = f"Question {question}{line_of(kata, question)}: the answer can't be read."
    expected = 'a set of letters from A to E, such as {"A", "D"}'
    expect.that(
        isinstance(answers, dict),
        headline,
        seen=f"ANSWERS is of type {type(answers).__name__}",
        expected="a dict",
        likely="ANSWERS was replaced by something else: keep the dict of the stub",
    )
    likely = f'its entry was deleted or renamed: a line "{question}": {{...}}, belongs in ANSWERS'
    expect.that(
        question in answers,
        headline,
        seen=f"entries {', '.join(map(str, answers))}",
        expected=expected,
        likely=likely,
    )
    answer = answers[question]
    if answer is ...:
        raise NotStarted
    likely = why_unreadable(answer)
    expect.that(
        not likely, headline, seen=repr(answer), expected=expected, likely=expect.told(likely)
    )
    return {letter.strip().upper() for letter in answer} - {""}


def why_unreadable(answer: object) -> str:
    """What keeps an answer from being read; empty where nothing does."""
    if isinstance(answer, dict):
        return (
            "{} is an empty dict, and a colon makes a dict too: a set has its letters between"
            " braces, with commas"
        )
    if not isinstance(answer, set | frozenset | list | tuple | str):
        return "this is no set: the letters stand between braces, each between quotes"
    if any(part is ... for part in answer):
        return "the three dots are still there: put the letters in their place"
    if any(isinstance(part, set | frozenset | list | tuple) for part in answer):
        return "there are brackets within the brackets: one pair of braces holds all letters"
    if not all(isinstance(part, str) for part in answer):
        return "each choice is a letter between quotes, and not a number"
    chosen = {letter.strip().upper() for letter in answer} - {""}
    if not chosen:
        return "nothing is chosen, and in each question at least one choice is true"
    if any("," in letter for letter in chosen):
        return 'each letter needs quotes of its own: {"A", "D"}, not {"A, D"}'
    if any(len(letter) > 1 and set(letter) <= set("ABCDE") for letter in chosen):
        return 'a comma is missing between two letters: "A" "D" is the same as "AD"'
    if not chosen <= set("ABCDE"):
        return "the question offers no such letter: each choice is one letter between quotes"
    return ""


def digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
