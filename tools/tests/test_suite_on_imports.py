"""Each kata is judged alone: a file that imports another kata fails, wherever it is judged, and is
told why.
"""

import pytest
from helpers import first_message, outcomes

from dojo import ROOT
from dojo.results import Outcome
from dojo.suite.loader import other_kata
from dojo.validate.patches import load

MAIN = 'if __name__ == "__main__":\n    from katas.k07_hidden_layer import train\n'


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("import torch\nfrom katas.k01_tensors import to_tensors\n", 2, "katas.k01_tensors"),
        ("from katas import k01_tensors\n", 1, "katas.k01_tensors"),
        ("from katas import (\n    given,\n    k01_tensors,\n)\n", 1, "katas.k01_tensors"),
        ("import torch, katas.k01_tensors as other\n", 1, "katas.k01_tensors"),
        ("from k01_tensors import to_tensors\n", 1, "k01_tensors"),
        ("import \\\n  k01_tensors\n", 1, "k01_tensors"),
        ("import torch; import k01_tensors.x\n", 1, "k01_tensors.x"),
        ("def f():\n    from reference.k01_tensors import *\n", 2, "reference.k01_tensors"),
        ("from reference.exams import k01_tensors\n", 1, "reference.exams.k01_tensors"),
        (f"{MAIN}else:\n    import k01_tensors\n", 4, "k01_tensors"),
        ("import k02_devices\nimport k01_tensors\n", 1, "k02_devices"),
    ],
)
def test_an_import_of_another_kata_is_found_however_it_is_written(source, line, name):
    assert other_kata(source) == (line, name)


@pytest.mark.parametrize(
    "source",
    [
        "from katas.given import data, plots\n",
        "from katas import given\nimport katas.given.data\n",
        "import k3d, reference_counting, kinetics\n",
        (
            '"""Take\nfrom katas.k01_tensors import to_tensors\nas an example."""\n# import'
            " k01_tensors\n"
        ),
        "k01_tensors = 'import k01_tensors'\n",
        MAIN,
    ],
)
def test_other_imports_are_none_and_nor_is_what_no_test_runs(source):
    assert other_kata(source) is None


def test_no_right_solution_and_nothing_given_imports_another_kata(catalog):
    texts = [
        path
        for name in ("reference/k*.py", "katas/k*.py", "katas/given/*.py")
        for path in ROOT.glob(name)
    ]
    assert len(texts) > 42
    assert not [path for path in texts if other_kata(path.read_text(encoding="utf-8"))]
    sources = [
        variant.apply(kata.reference_text())
        for kata in catalog.katas
        for variant in load("variant", kata.name)
    ]
    assert len(sources) > 42
    assert not [source for source in sources if other_kata(source)]


def test_a_kata_that_imports_another_fails_although_that_one_is_there(judge, reference):
    assert judge(reference + MAIN).outcome == Outcome.PASSED
    result = judge(f"from katas.k01_tensors import to_tensors\n{reference}")
    assert set(outcomes(result).values()) == {Outcome.FAILED}
    assert (
        first_message(result)
        .partition("\n")[0]
        .endswith(
            "k06_logistic_regression.py:1 imports katas.k01_tensors, "
            "but each kata is judged alone: copy what you need into this file."
        )
    )
