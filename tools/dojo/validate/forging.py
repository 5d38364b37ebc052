"""What would a mistake earn if its process lied? Each known mistake answers its exam, and all that
its process says of itself is replaced by what the reference's says.

Forged is what a process can say without having done anything: texts, flags, counts and single
numbers that are the same in every draw, places, whether gradients are recorded, and all of a
training's record that is neither a parameter nor a gradient. The tensors and arrays that come back
stay the mistake's own. What it earns all the same is taken on trust, and stands in
reference/validation/forging.toml, each with the reason; no mistake is added to that list.
"""

import contextlib
import io
import re
import tempfile
import tomllib
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dojo import ROOT, UserError, limits
from dojo.exam import answering, sheet
from dojo.exam.question import Question, load
from dojo.exam.sheet import Item, Sheet
from dojo.exam.values import Numbers
from dojo.training.record import TrainingRecord

FILE = ROOT / "reference" / "validation" / "forging.toml"
DRAWS = 5  # to see what is the same in each
RECORD = {part.name for part in fields(TrainingRecord)}
OWN = {"start", "end", "before", "after", "gradients"}  # of a record: parameters, gradients
SEEN = {"passes", "batches"}  # forged or not, whichever is believed
SECRET = b"validation"  # draws that can be drawn again
Broken = tuple[str, Collection[str]]  # a mistake's source, and the tasks that it breaks


class ForgingError(UserError):
    """The list of what is taken on trust can't be used; the message says why."""


class Trusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mistakes of a kata that would earn their task by lying, and why that is so."""

    kata: str
    mistakes: tuple[str, ...]
    why: str


def faults(kata: str, credited: Collection[str]) -> list[str]:
    """Mistakes of a kata that earn their task and are not listed, and the other way round."""
    listed = trusted(kata)
    more, less = "a process that lies about itself earns its task with", "earns nothing"
    return [
        f"{kata}: {more} '{name}': judge that outside" for name in credited if name not in listed
    ] + [
        f"reference/validation/{FILE.name}: {kata}, '{name}' {less}: take it off the list"
        for name in listed
        if name not in credited
    ]


def trusted(kata: str, path: Path = FILE) -> list[str]:
    """The mistakes of a kata that are taken on trust.

    Raises:
        ForgingError: the list is malformed.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = msgspec.convert(document.get("trusted", []), list[Trusted])
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ForgingError(f"{path.name} is malformed: {error}") from None
    if any(not each.why.strip() for each in entries):
        raise ForgingError(f"{path.name} is malformed: an entry has no reason")
    return [name for each in entries if each.kata == kata for name in each.mistakes]


def earning(
    kata: str, mistakes: Mapping[str, Broken], refused: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """The known mistakes that earn their task under one draw, if their process lies.

    Args:
        refused: mistake → the questions that are known to refuse it, which are asked first.
    """
    sheets = [sheet.draw(kata, SECRET + str(seed).encode()) for seed in range(DRAWS)]
    same, credited = constant(sheets), []
    for name, (source, tasks) in mistakes.items():
        with _in_silence():
            if _earns(sheets[0], source, tasks, same, refused.get(name, ())):
                credited.append(name)
    return tuple(credited)


@contextlib.contextmanager
def _in_silence() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(action="ignore"),
    ):
        yield


def _earns(
    drawn: Sheet,
    source: str,
    tasks: Collection[str],
    same: Collection[str],
    first: Collection[str],
) -> bool:
    questions = {each.name: each for each in load(sheet.text_of(drawn.kata), drawn.kata)}
    items = [item for item in drawn.items if item.task in tasks]
    if any(questions[item.question].look_at(source) for item in items):
        return False
    items.sort(key=lambda item: (item.question not in first, questions[item.question].seconds))
    with tempfile.TemporaryDirectory(prefix="torch-katas-") as folder:
        path = Path(folder) / f"{drawn.kata}.py"
        path.write_text(source, encoding="utf-8")
        try:
            kata = answering.load_kata(path)
        except Exception:
            return False
        return all(_is_believed(questions[item.question], item, kata, same) for item in items)


def _is_believed(question: Question, item: Item, kata: Any, same: Collection[str]) -> bool:
    try:
        with limits.computing(question.seconds):
            try:
                answers = answering.ask(question, kata, item.seed, sheet.handed_out(item))
            except answering.LeftChanged as changed:
                answers = changed.answers
        own = sheet.plain(answers)
    except (limits.TimeUp, Exception, SystemExit):
        return False  # without an answer there is nothing to forge
    return any(
        not question.compare(
            forged(own, item.right, question.name, same, kept), item.right, item.hidden
        )
        for kept in (OWN, OWN | SEEN)
    )


def constant(sheets: Sequence[Sheet]) -> set[str]:
    """The places in answers at which the reference says the same in each draw."""
    seen: dict[str, set[object]] = {}
    for item in (item for drawn in sheets for item in drawn.items):
        for place, value in _said(item.right, item.question):
            seen.setdefault(place, set()).add(value)
    return {place for place, values in seen.items() if len(values) == 1}


def _said(value: Any, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _said(part, _inside(place, key))
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from _said(part, f"{place}[{number}]")
    elif not isinstance(value, Numbers):
        yield place, repr(value)
    elif value.data.dtype.kind == "b":
        yield place, (value.shape, value.data.tobytes())


def _inside(place: str, key: str) -> str:
    """Numbers in a name are drawn, such as those of sizes."""
    return f"{place}.{re.sub(r'[0-9]+', '#', key)}"


def forged(answer: Any, right: Any, place: str, same: Collection[str], kept: set[str]) -> Any:
    """An answer with all that the process says of itself as the reference's process says it.

    Args:
        place: where the answer stands.
        same: the places at which the reference always says the same.
        kept: the parts of a training's record that stay.
    """
    if isinstance(answer, dict) and isinstance(right, dict):
        if right.keys() == RECORD == answer.keys():
            return _forged_record(answer, right, kept)
        return {
            key: forged(part, right[key], _inside(place, key), same, kept) if key in right else part
            for key, part in answer.items()
        }
    if isinstance(answer, list | tuple) and isinstance(right, list | tuple):
        inner = [f"{place}[{number}]" for number in range(len(right))]
        if len(answer) != len(right) and all(each in same for each in inner):
            return right
        pairs = zip(answer, right, inner, strict=False)
        parts = [forged(*pair, same, kept) for pair in pairs]
        return type(answer)([*parts, *answer[len(parts) :]])
    if place in same:
        return right
    if isinstance(answer, Numbers) and isinstance(right, Numbers):
        return replace(answer, device=right.device, requires_grad=right.requires_grad)
    return answer


def _forged_record(answer: Mapping[str, Any], right: Mapping[str, Any], kept: set[str]) -> Any:
    """A record with the parameters and gradients of one training, and all the rest of another."""
    steps, record = len(answer["before"].data), {**right, **{name: answer[name] for name in kept}}
    for name in RECORD - kept:
        value = right[name]
        # one entry for each step: as many as there are
        if isinstance(value, Numbers) and value.data.ndim and len(value.data):
            rows = np.minimum(np.arange(steps), len(value.data) - 1)
            record[name] = replace(value, data=value.data[rows])
    whole = right["taken"] == len(right["before"].data)
    return {**record, "taken": steps if whole else right["taken"]}
