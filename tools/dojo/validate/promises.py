"""Is every promise of a stub kept: by a test, by a question of the exam, each alone?

Each sentence of a stub is a promise or an explanation (`promise_files`). The tests that a promise
names have to catch its mistakes, and the questions to refuse them: what the tests did is in
`patched`, what the questions did in the record of `exams`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dojo.catalog import Catalog, Kata
from dojo.exam import sheet
from dojo.exam.question import load as load_questions
from dojo.results import KataResult
from dojo.stubs import stub_of
from dojo.validate import Finding, exams, patches
from dojo.validate.passages import Passage, passages
from dojo.validate.patched import Tried, bare, failed, run_patched
from dojo.validate.promise_files import Claim, Promise, Promises, PromisesError, load
from dojo.validate.test_files import functions

# Katas whose promises nobody has listed yet: this gets shorter, never longer.
NOT_YET: set[str] = set()

Refusals = Mapping[str, Collection[str]]  # mistake → the questions that refuse it


def recorded(chosen: Catalog) -> Finding:
    """Every sentence of each stub is accounted for, and every promise is kept."""
    tried, problems = run_patched(chosen, "mistake")  # as another part has done before
    notes, listed, sentences, asked, unchecked = list[str](), list[Promise](), 0, 0, False
    for kata in chosen.katas:
        parts = passages_of(kata)
        sentences += sum(len(part.sentences) for part in parts if part.is_due)
        try:
            promises = load(kata)
        except PromisesError as error:
            problems.append(str(error))
            continue
        if promises is None:
            if kata.short not in NOT_YET:
                begin = f"`python tools/validate promises {kata.short}` begins it"
                problems.append(f"{_file(kata)} is missing: {begin}")
            continue
        listed += promises.promise
        problems += faults_of_list(kata, promises, parts)
        problems += faults_of_tests(kata, promises, parts, _results(kata, tried))
        if refusals := exams.recorded_refusals(kata):
            problems += faults_of_questions(kata, promises, refusals)
            asked += sum(bool(promise.questions) for promise in promises.promise)
        else:
            again = f"`python tools/validate exams {exams.FEWEST_DRAWS} --record {kata.short}`"
            notes.append(f"{kata.short}: it is not recorded what its questions refuse: {again}")
            unchecked = True
        notes += excuses(kata, promises)
    if open_katas := [kata.short for kata in chosen.katas if kata.short in NOT_YET]:
        names = ", ".join(open_katas)
        notes.append(f"the promises of {len(open_katas)} katas are not listed yet: {names}")
    tests = sum(bool(promise.tests) for promise in listed)
    scope = f"{len(listed)} promises of {sentences} sentences"
    scope += f", asked by tests {tests}, by questions {asked}"
    return Finding(problems, scope, notes, unchecked or bool(open_katas))


def _results(kata: Kata, tried: Iterable[Tried]) -> dict[str, KataResult]:
    return {patch.name: result for patch, result in tried if patch.kata == kata.name}


def passages_of(kata: Kata) -> list[Passage]:
    """The passages of the stub that a kata's reference generates."""
    return passages(stub_of(kata.reference_text(), [task.name for task in kata.tasks]))


def _file(kata: Kata) -> str:
    return f"reference/promises/{kata.name}.toml"


def faults_of_list(kata: Kata, promises: Promises, parts: Sequence[Passage]) -> list[str]:
    """What is wrong with a list as such, without running anything."""
    found = []
    for place, rest in left(promises, parts):
        found.append(f"{place}: {rest!r} is neither a promise nor an explanation")
    for entry in (*promises.promise, *promises.explanation):
        places = {part.place for part in entry.found(parts)}
        if not places:
            where = f" of {entry.of}" if entry.of else ""
            found.append(f"{entry.quote!r} does not stand in the stub{where}")
        elif len(places) > 1 and isinstance(entry, Promise):
            names = ", ".join(sorted(places))
            found.append(f"{entry.quote!r} stands in several places: `of` says which ({names})")
    for explanation in promises.explanation:
        if not explanation.why.strip():
            found.append(f"{explanation.quote!r} is explained without a reason: `why`")
    tests = {function.name for function in functions(kata) if function.group}
    questions = {question.name for question in load_questions(sheet.text_of(kata.name), kata.name)}
    mistakes = {patch.name for patch in patches.load("mistake", kata.name)}
    for promise in promises.promise:
        for kind, named, excuse in (
            ("test", promise.tests, promise.without_test),
            ("question", promise.questions, promise.without_question),
            ("mistake", promise.mistakes, ""),
        ):
            if not named and not excuse.strip():
                found.append(f"{promise.quote!r} is promised, and no {kind} is named")
            elif named and excuse:
                found.append(f"{promise.quote!r} names a {kind} and says why it has none")
        for kind, unknown in (
            ("test", [name for name in promise.tests if bare(name) not in tests]),
            ("question", [name for name in promise.questions if name not in questions]),
            ("mistake", [name for name in promise.mistakes if name not in mistakes]),
        ):
            found += [f"{promise.quote!r}: there is no {kind} {name!r}" for name in unknown]
    return [f"{_file(kata)}: {fault}" for fault in found]


def left(promises: Promises, parts: Iterable[Passage]) -> Iterator[tuple[str, str]]:
    """Place and words of what is neither a promise nor an explanation."""
    entries: tuple[Claim, ...] = (*promises.promise, *promises.explanation)
    for part in parts:
        if part.is_due:
            quotes = [entry.quote for entry in entries if entry.of in ("", part.place)]
            yield from ((part.place, rest) for rest in part.left(quotes))


def faults_of_tests(
    kata: Kata,
    promises: Promises,
    parts: Sequence[Passage],
    results: Mapping[str, KataResult],
) -> list[str]:
    """Mistakes that no test of their promise catches, and tests that catch none of them."""
    found = list[str]()
    for promise in promises.promise:
        tasks = {task for part in promise.found(parts) for task in part.tasks}
        caught = {
            mistake: [test for test in promise.tests if _catches(kata, test, tasks, result)]
            for mistake, result in results.items()
            if mistake in promise.mistakes
        }
        found += _faults(promise, ("test", "is not caught by", "catches"), promise.tests, caught)
    return [f"{_file(kata)}: {fault}" for fault in found]


def _catches(kata: Kata, test: str, tasks: Collection[str], result: KataResult) -> bool:
    """True if a test failed; another task's test of the same name says nothing about these."""
    name = bare(test)
    having = {
        task
        for function in functions(kata)
        if function.name == name
        for task in function.tasks  # none where the cases of the test say it
    }
    return test in failed(result, having.intersection(tasks))


def faults_of_questions(kata: Kata, promises: Promises, refusals: Refusals) -> list[str]:
    """Mistakes that no question of their promise refuses, and questions that refuse none."""
    found = list[str]()
    for promise in promises.promise:
        asked = promise.questions
        refused = {
            mistake: [question for question in asked if question in refusals.get(mistake, ())]
            for mistake in promise.mistakes
        }
        found += _faults(promise, ("question", "is not refused by", "refuses"), asked, refused)
    return [f"{_file(kata)}: {fault}" for fault in found]


def _faults(
    promise: Promise,
    words: tuple[str, str, str],
    named: Sequence[str],
    noticed: Mapping[str, Collection[str]],
) -> Iterator[str]:
    kind, not_by, notices = words
    for mistake, by in noticed.items():
        if named and not by:
            yield f"{promise.quote!r}: the mistake {mistake!r} {not_by} {', '.join(named)}"
    for name in named:
        if noticed and not any(name in by for by in noticed.values()):
            yield f"{promise.quote!r}: the {kind} {name} {notices} none of its mistakes"


def excuses(kata: Kata, promises: Promises) -> list[str]:
    """The promises that no test, or no question, asks, with the reasons."""
    lines = [
        f"    {promise.quote!r}: {excuse}"
        for promise in promises.promise
        for excuse in (promise.without_test, promise.without_question)
        if excuse
    ]
    head = f"{kata.short}: {len(lines)} promises that no test, or no question, can ask"
    return ["\n".join([head, *lines])] if lines else []


def template(kata: Kata) -> str:
    """Entries for all that a kata's file does not account for, to be filled in."""
    promises, parts = load(kata) or Promises(), passages_of(kata)
    blocks = []
    for place, rest in left(promises, parts):
        lines = ["[[promise]]", f"says = {_toml(rest)}"]
        if len({part.place for part in Promise(says=rest).found(parts)}) > 1:
            lines.append(f"of = {_toml(place)}")
        lines += ["tests = []", "questions = []", "mistakes = []"]
        blocks.append(f"# {place}; or [[explanation]], says and why\n" + "\n".join(lines) + "\n")
    return "\n".join(blocks)


def _toml(text: str) -> str:
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)


def measure(kata: Kata, chosen: Catalog, words: str = "") -> tuple[list[str], Finding]:
    """Try the known mistakes on all tests, and under one draw of the exam.

    Args:
        words: only mistakes with these in their name; all if there are none.

    Returns:
        Lines that say what notices each; and, of all mistakes, what that means for the promises.
    """
    tried, problems = run_patched(chosen.only([kata]), "mistake", whole=True, words=words)
    refusals = exams.try_refusals(kata, words)
    lines = []
    for patch, result in tried:
        by_task = {
            task.name: sorted({bare(name) for name in failed(result, [task.name])})
            for task in result.tasks
        }
        tests = [f"{task}: {', '.join(names)}" for task, names in by_task.items() if names]
        lines += [f"# {patch.name!r}", f"#     tests {'; '.join(tests) or 'none'}"]
        lines.append(f"#     questions {', '.join(sorted(refusals[patch.name])) or 'none'}")
    if (promises := load(kata)) is None:
        return lines, Finding([*problems, f"{_file(kata)} is missing"], "")
    parts = passages_of(kata)
    problems += faults_of_list(kata, promises, parts)
    if not words:
        problems += faults_of_tests(kata, promises, parts, _results(kata, tried))
        problems += faults_of_questions(kata, promises, refusals)
    scope = f"{len(promises.promise)} promises, {len(tried)} mistakes"
    return lines, Finding(problems, scope, excuses(kata, promises))
