"""A dict's entry can be a solution region too: its value waits as an ellipsis."""

from dojo.stubs import open_regions, stub_of

REFERENCE = """ANSWERS = {
    # BEGIN SOLUTION colour: which ones?
    "colour": {"A", "C"},
    # END SOLUTION
}


def shape():
    # BEGIN SOLUTION shape: say it
    return {"round": ...}
    # END SOLUTION
"""

STUB = """ANSWERS = {
    # TODO colour: which ones?
    "colour": ...,
}


def shape():
    # TODO shape: say it
    raise NotImplementedError("shape")
"""


def test_an_entry_becomes_an_ellipsis_and_a_statement_an_error():
    assert stub_of(REFERENCE, ["colour", "shape"]) == STUB


def test_an_entry_is_open_while_its_value_is_the_ellipsis():
    assert open_regions(STUB) == {"colour": 3, "shape": 9}
    assert open_regions(STUB.replace("...", "set()")) == {"shape": 9}
