"""Stubs: what is left out, what stays, and markers that are not right."""

import pytest

from dojo import stubs

GOOD = '''def double(x):
    """Twice x."""
    # BEGIN SOLUTION double: add x to itself
    #     or multiply it
    # a note of the author
    return x + x
    # END SOLUTION


def half(x):
    # BEGIN SOLUTION half: divide
    y = x / 2

    return y
    # END SOLUTION
'''


def test_regions_are_replaced_by_what_to_do():
    assert (
        stubs.stub_of(GOOD, ["double", "half"]) == "def double(x):\n"
        '    """Twice x."""\n'
        "    # TODO double: add x to itself\n"
        "    #     or multiply it\n"
        '    raise NotImplementedError("double")\n'
        "\n\n"
        "def half(x):\n"
        "    # TODO half: divide\n"
        '    raise NotImplementedError("half")\n'
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("    # END SOLUTION\n\n\n", "\n\n"), "begins inside the one of line 3"),
        (
            ("    return y\n    # END SOLUTION\n", "    return y\n"),
            ":11: the solution region has no",
        ),
        (
            ('    """Twice x."""\n', "    # END SOLUTION\n"),
            ":2: a solution region ends that has not begun",
        ),
        (
            ("BEGIN SOLUTION half: divide", "BEGIN SOLUTION"),
            "write '# BEGIN SOLUTION task: what to do'",
        ),
        (
            ("BEGIN SOLUTION half: divide", "BEGIN SOLUTION half"),
            "write '# BEGIN SOLUTION task: what to do'",
        ),
        (("# BEGIN SOLUTION half: divide", "# begin solution half: divide"), "exactly so"),
        (("half: divide", "quarter: divide"), "no task 'quarter'"),
        (("    y = x / 2\n\n    return y\n", ""), "is empty"),
        (("    return y\n    # END", "    return y\n  # END"), "another indentation"),
    ],
)
def test_markers_that_are_not_right_are_errors_with_file_and_line(change, says):
    assert change[0] in GOOD
    with pytest.raises(stubs.MarkerError, match=r"ref\.py:") as caught:
        stubs.stub_of(GOOD.replace(*change), ["double", "half"], "ref.py")
    assert says in str(caught.value)


def test_a_task_without_a_region_is_an_error():
    with pytest.raises(stubs.MarkerError, match="no solution region for the task train"):
        stubs.stub_of(GOOD, ["double", "half", "train"])


def test_open_regions_are_found_by_their_task():
    stub = stubs.stub_of(GOOD, ["double", "half"])
    assert stubs.open_regions(stub) == {"double": 5, "half": 10}
    assert stubs.open_regions(
        stub.replace('raise NotImplementedError("half")', "return x / 2")
    ) == {"double": 5}
    assert stubs.open_regions("raise NotImplementedError\nraise ValueError('x')\n") == {}
    assert stubs.open_regions("def f(:\n") == {}


def test_what_to_do_is_read_from_the_learners_file():
    stub = stubs.stub_of(GOOD, ["double", "half"])
    assert stubs.todo(stub, "double") == "add x to itself or multiply it"
    assert stubs.todo(stub, "quarter") == ""
