"""The house: the tools behind tools/check, tools/grade and tools/validate.

Three kinds of people come in, each by a door of their own: learners, graders and maintainers. A
room is a module, and the `__init__` of each package lists its rooms. From the top floor down:

    tools/bench     tools/tests                  what the tools cost; what the tools promise
    check/          grade/         validate/     the three doors: for learners, graders, maintainers
    exam/                                        the same questions to a submission and a reference
    suite/                                       a kata's tests on a target, and a verdict
    processes/  simulated/  bootstrap/           child processes; the simulated accelerator; the
        training/                                packages and .venv; trainings, step by step
    the modules beside this text                 what everybody uses

Imports run down, within a package or to a lower floor: never up, never between packages of one
floor, never in a circle (tools/tests/test_house.py). What two doors need lies below both.

    catalog             the stages, katas and tasks, and the text of a reference
    stubs               from a reference to the stub a learner starts with
    outcome, results    what came out of running the tests: outcomes of tests, tasks and katas
    diagnosis, curve    why a test failed; the losses of a training beside the reference's
    reference_results   what the references reached when they were last validated
    files, lock         whole files, typed and hashed; one process at a time
    structure           what a model is made of, as far as a stub fixes it
    limits, rounding    a limit on the time that code computes; numbers that were rounded on purpose
    imports             the files that a file imports, and they in turn; code without its comments
    cli, console, plain what the command lines share; colours and symbols where they can be shown

Light commands (`check list`, `check hint`, `--help`) import neither torch nor pytest. What takes
long to import is imported once, in a process that is then forked.

The way of a learner's save, in watch mode:

 1. check/watch: `files` sees it, `session` puts it into its queue, `transitions` says what follows
    (pure), and an effect asks for a run.
 2. check/server: `client` asks the `server`, which has everything imported; it is replaced when the
    `fingerprint` of what it has imported is another.
 3. suite: the `supervisor` gives the kata as a `job` to a worker (processes/`worker`), which starts
    a child; the child runs pytest (`pytest_run`) with our `plugin`, which loads the kata's file
    (`loader`), decides what is blocked or skipped, and has `feedback` turn an error into a
    diagnosis, with `causes` and `layers`. The tests are tests/test_kNN_*.py, and make their checks
    by tests/support/.
 4. `report` believes complete reports only; a child that dies or falls silent has failed the test
    that it was at.
 5. Results come back the same way; check/watch: `frame` draws them, `state` and `store` keep them.

The way of a submission:

 1. grade/intake: `entries` says whose it is, `reading` reads it within bounds and unpacks nothing,
    `selection` takes the kata files, `notes` names what was left out.
 2. grade: `run` skips it where the gradebook has a valid record (gradebook/keys: the hash of all
    that judges it); otherwise a thread of `judge_pool` hands it to its `judge`.
 3. Feedback: suite as above, with the worker of grade/sandbox, whose children are confined.
 4. Credit: exam. A `sheet` is drawn and answered by the reference on our side; `examiner` puts its
    questions to the submission in the sandbox (`answering`), gets plain `values` over the `wire`,
    and compares them here (`comparisons`). Nothing that the submission says of itself counts.
 5. `records`: a task that passes both is verified. The gradebook keeps the record at once;
    `exports`, `summary` and `show` are views of it.

The way of a change, for maintainers: validate/`parts` holds stubs, references, known mistakes and
other right solutions (`patches`) against the tests; marks, bands, mutants, exams and devices are
measured by a command each, and their records lie in reference/validation/.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class UserError(Exception):
    """What a user can put right; the message is a sentence for the user."""
