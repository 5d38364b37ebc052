"""Which katas are graded, for how many points, within which limits; and what is said of a file that
can't be used.
"""

import pytest

from dojo.catalog import UnknownKata
from dojo.grade.assignment import AssignmentError, Limits, read


@pytest.fixture
def written(tmp_path, catalog):
    """Read an assignment of this text."""

    def of(text, *chosen):
        path = tmp_path / "assignment.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path, chosen, catalog)

    return of


def test_without_a_file_everything_is_graded_for_the_catalogs_points(catalog):
    assignment = read(None, [], catalog)
    assert assignment.katas == catalog.katas
    assert assignment.points == {
        f"{kata.name}.{task.name}": task.points for kata in catalog.katas for task in kata.tasks
    }
    assert assignment.limits == Limits()


def test_a_file_says_what_is_graded(written):
    assignment = written("""
title = "Homework 3"
katas = ["k07", "logistic"]
[points]
"k06.model" = 2
k06.train = 0.5
[limits]
seconds_a_test = 20
memory_mb = 512
""")
    assert assignment.title == "Homework 3"
    assert [kata.short for kata in assignment.katas] == ["k06", "k07"]
    assert assignment.points_of("k06_logistic_regression", "model") == 2
    assert assignment.points_of("k06_logistic_regression", "train") == 0.5
    assert assignment.points_of("k06_logistic_regression", "boundary") == 1
    assert (
        assignment.limits.seconds_a_test,
        assignment.limits.memory_mb,
        assignment.limits.processes,
    ) == (20, 512, 64)


@pytest.mark.parametrize(
    "chosen", [("k06,k07",), ("7", "k06"), (" k06 , k07_hidden_layer.py,k06",)]
)
def test_katas_can_be_chosen_by_hand(catalog, chosen):
    assignment = read(None, chosen, catalog)
    assert [kata.short for kata in assignment.katas] == ["k06", "k07"]
    assert {name.partition("_")[0] for name in assignment.points} == {"k06", "k07"}


def test_katas_chosen_by_hand_stand_instead_of_the_files_with_the_files_points(written):
    assignment = written('katas = ["k06", "k07"]\n[points]\n"k06.model" = 5\n', "k06")
    assert [kata.short for kata in assignment.katas] == ["k06"]
    assert assignment.points["k06_logistic_regression.model"] == 5
    assert len(assignment.points) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("katas = [", "is not TOML"),
        (
            "katas = [k06]",
            'at line 1, column 10). Mend that place; lines look like katas = ["k06", "k07"].',
        ),
        ('title = "x"'.encode("utf-16"), "is not text in UTF-8: save it with that encoding."),
        ('katas = "k06"', "has to be a list of names"),
        ("katas = [6]", "has to be a list of names"),
        ("katas = []", "is empty"),
        ('katas = ["spirl"]', "The nearest is k17_spiral_mlp"),
        ("title = 3", "has to be a text"),
        ("kata = ['k06']", "it can't have `kata`. The nearest is `katas`."),
        ("points = 3", "has to be a table"),
        ("limits = []", "has to be a table"),
        (
            '[points]\n"k06.modle" = 2',
            "k06 has no task 'modle'. Its tasks are model, train, boundary.",
        ),
        (
            '[points]\n"k06" = 2',
            'its tasks (model, train, boundary), such as points."k06.model" = 2.',
        ),
        (
            "points.k02 = 3",
            (
                '"k02" is a whole kata: points are given to each of its tasks (pick, move), such as'
                ' points."k02.pick" = 3.'
            ),
        ),
        ('points.k02 = "3"', 'such as points."k02.pick" = 1.'),
        (
            'points."k06.model" = 2\npoints."k06_logistic_regression.model" = 3',
            (
                'has k06.model twice, as "k06.model" and "k06_logistic_regression.model": leave one'
                " out."
            ),
        ),
        ('points.k06.model = 2\npoints."k06.model" = 2', "has k06.model twice"),
        ('[points]\n"k99.model" = 2', "There is no kata 'k99'"),
        (
            'katas = ["k07"]\n[points]\n"k06.model" = 2',
            "k06 is not among the katas of this assignment",
        ),
        ('[points]\n"k06.model" = -1', "has to be a number from 0 to 1000, not -1"),
        ('[points]\n"k06.model" = nan', "has to be a number"),
        ('[points]\n"k06.model" = true', "has to be a number"),
        ('[points]\n"k06.model" = "2"', "has to be a number"),
        (
            "[limits]\nseconds = 3",
            "[limits] can't have `seconds`. The nearest is `seconds_a_test`.",
        ),
        ("[limits]\nseconds_a_test = 0", "whole number from 1 to 600, not 0"),
        ("[limits]\nmemory_mb = 1.5", "whole number from 64 to 65,536, not 1.5"),
        ("[limits]\nprocesses = true", "whole number"),
    ],
)
def test_what_can_not_be_used_is_told_with_the_files_name(written, text, says):
    with pytest.raises(AssignmentError) as caught:
        written(text)
    assert says in str(caught.value)
    assert "assignment.toml" in str(caught.value)


@pytest.mark.parametrize("chosen", [("",), (",",), (" , ", "")])
def test_an_empty_choice_of_katas_is_refused_and_not_taken_for_all(written, catalog, chosen):
    with pytest.raises(
        AssignmentError,
        match=r"^--katas names no kata: give some, such as k06,k07, or leave --katas out\.$",
    ):
        read(None, chosen, catalog)
    with pytest.raises(AssignmentError, match="--katas names no kata"):
        written('katas = ["k06", "k07"]', *chosen)


def test_a_file_may_begin_with_a_byte_order_mark(written):
    assert written(b"\xef\xbb\xbfkatas = ['k06']").katas[0].short == "k06"


def test_a_file_that_is_not_there_and_an_unknown_kata_are_told(tmp_path, catalog):
    with pytest.raises(AssignmentError, match="check --assignment"):
        read(tmp_path / "none.toml", [], catalog)
    with pytest.raises(UnknownKata, match="nearest is k06_logistic_regression"):
        read(None, ["logisitc"], catalog)
