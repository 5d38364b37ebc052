"""For maintainers: are the references, the stubs, the tests and the tools right?

A measurement takes a command: it measures, counts figures, keeps them as a record, and names what
is wrong. Its `recorded` is a part of the validation: does the record prove the files of today?

commands       the command line
parts          each part of the validation
marks          pass marks, measured over many seeds
mark_checks    what is recorded of a mark, held against itself
ways           right solutions on fresh seeds: how many ever miss a mark
bands          where the references' losses lie while they train
mutants        small changes of the references, which a test must notice
records        whether the records are what the commands wrote
idle_tests     tests that catch nothing known
records        whether the records are what the commands wrote
idle_tests     tests that catch nothing known
exams          the exams, tried on right solutions and on known mistakes
exam_probes    whether they notice corrupted answers and fixed data
forging        what mistakes would earn if their process lied about itself
placement      whether placement tests notice other values on a device
pins           the pinned versions of all packages
hardware       the references on a device
device_record  what is kept of that, and the table of all devices
promises       whether each promise of a stub is kept, by a test and by a question
promise_files  the list of a kata's promises and explanations
passages       what a stub tells its learner, sentence by sentence
patches        known mistakes and other right solutions: replacements in a reference's text
patched        the suite on each of them, run once for all parts
test_rules     what a test file may not do
test_files     what a kata's test file says, and texts run against it
workflows      the workflows, looked at by linters
texts          lessons that read easily, short sentences, and words (words.toml)
claims         texts that can be wrong: names, tasks, hints that are the solution
text_sources   where the texts lie that people read
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Say = Callable[[str], None]  # shows a person how far a measurement has come


@dataclass(frozen=True)
class Finding:
    """The result of a measurement: nothing in `problems` means that all is right."""

    problems: Sequence[str]
    scope: str  # how much was looked at, in a few words
    notes: Sequence[str] = ()  # what is worth showing though it is no problem
    unchecked: bool = False  # something could not be looked at here, which is no pass
