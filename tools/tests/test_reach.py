"""What a training depends on, by name: enough to know when a measurement has to be made again, and
not more.
"""

from dojo.validate.test_files import definitions, reached

TESTS = '''
from katas.given.data import curve
LIMIT = 3

class TestFit:
    """Says something."""

    def test_bends(self, kata, mark):
        """Says something too."""
        kata.fit(curve(), helper(LIMIT), getattr(kata, "Model"))  # a remark

    def test_other(self, kata):
        kata.count()

def helper(number):
    return number
'''
KATA = """
class Model:
    def forward(self):
        return bend()

def bend(): ...
def fit(x, y): ...
def count(): ...
if __name__ == "__main__":
    fit(1, 2)
"""


def text(tests=TESTS, kata=KATA):
    return reached(definitions([tests, kata]), ["test_bends"])


def test_it_reaches_functions_classes_and_constants_through_modules():
    assert all(
        part in text()
        for part in (
            "def test_bends",
            "def helper",
            "LIMIT = 3",
            "class Model",
            "def bend",
            "def fit",
        )
    )
    assert not any(
        part in text() for part in ("test_other", "count", "__main__", "remark", "Says something")
    )


def test_what_is_not_reached_changes_nothing_and_what_is_does():
    assert text(kata=KATA.replace("count(): ...", "count(): return 2")) == text()
    assert text(TESTS.replace("a remark", "another remark")) == text()
    assert text(kata=KATA.replace("bend(): ...", "bend(): return 2")) != text()
    assert text(TESTS.replace("LIMIT = 3", "LIMIT = 4")) != text()
