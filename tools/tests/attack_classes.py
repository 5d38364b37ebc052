"""The classes of attack that a grader of Python has to withstand. Each has a program in
tools/tests/hostile, or a test.
"""

CLASSES = {
    "forging": (
        "early exit at import",
        "SystemExit",
        "KeyboardInterrupt",
        "atexit and finalizers",
        "writing result files",
        "inherited descriptors",
        "printing fake results",
        "patching assert, pytest, torch.testing",
        "patching report classes",
        "replacing sys.modules",
        "shadowing modules by file name",
        "planted conftest, ini files, .pth, sitecustomize",
        "PYTEST_* and PYTHON* variables",
        "altering tests on disk",
        "objects that equal everything and __torch_function__",
        "patched time or random sources",
        "stored weights instead of training",
    ),
    "learning the answers": (
        "reading tests or references from disk",
        "frames, tracebacks",
        "gc",
        "what fork inherits",
        "/proc and ptrace on siblings",
        "importing the reference",
        "leaks through messages",
        "hard-coding",
        "traces left by earlier submissions in /tmp, shared memory",
        "locks",
        "channels between submissions",
    ),
    "resources": (
        "loops that swallow signals",
        "fork bombs",
        "daemonised children",
        "memory",
        "endless output",
        "huge, sparse or many files",
        "deep folders",
        "threads",
        "GPU memory",
        "descriptors",
        "silence",
    ),
    "the grader and the reader": (
        "pickle",
        "torch.load",
        "zip-slip",
        "links",
        "archive bombs",
        "network (UDP too)",
        "secrets in the environment",
        "terminal escapes and bidi characters",
        "script in pages",
        "formulas in CSV",
        "malformed JSON",
        "NaN, giant numbers",
        "hostile names of people",
        "hostile names of files",
        "poisoned bytecode",
        "signals to others",
        "ways out of the sandbox",
        "faults that look like the grader's own",
    ),
}
# What no program can try, as it happens before one runs: class → the test of it, in tools/tests.
STAND_INS = {
    "zip-slip": "test_grade_archives.py::test_hostile_paths_are_not_taken",
    "links": "test_grade_archives.py::test_links_and_devices_in_a_tar_are_not_taken",
    "archive bombs": "test_grade_archives.py::test_a_gzip_bomb_is_refused",
    "hostile names of people": (
        "test_grade_ids.py::test_an_id_is_plain_text_and_names_that_differ_stay_apart"
    ),
    "hostile names of files": (
        "test_grade_intake.py::test_text_of_others_can_not_move_the_cursor_or_turn_a_line"
    ),
}
