"""k01: what torch makes of a list and a shape, tables by broadcasting, and the way from NumPy to
PyTorch and back.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from dojo.diagnosis import counted
from katas.given.data import sine_bands_arrays
from tests.support import expect, placement, returned, subject

TENSORS = {  # task → the tensors that its function makes of what is no tensor
    "make": lambda kata: kata.make([1], (2,)).values(),
    "to_tensors": lambda kata: both(kata, np.ones((4, 2)), np.ones(4)),
    "to_class_indices": lambda kata: [kata.to_class_indices(np.zeros(3))],
}
MADE = ("numbers", "zeros", "ones", "uniform", "normal")
COMBINED = ("sums", "products", "matrix_product")
ROW, COLUMN = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0], [20.0], [40.0]])
TABLE = torch.tensor([[1.0, 10.0], [3.0, 30.0], [8.0, 2.0]])
NUMBERS = torch.tensor([1.0, 4.0, 6.0, -2.5])
LABELS = torch.tensor([2, 0, 1, 2, 4])
PUZZLES = {"centered": (TABLE,), "shares": (TABLE,), "gaps": (NUMBERS,), "one_hot": (LABELS, 5)}
STRETCHED = (
    "labels of shape (n,) next to outputs (n, 1) are broadcast to (n, n): make them a column with"
    " reshape(-1, 1)"
)
WHOLE_TABLE = "the {} of the whole table was taken: dim= says along which dimension"
OTHER_WAY = "the {} of the {} were taken: dim=0 goes down the rows, dim=1 along them"


@pytest.mark.task("make")
class TestMake:
    @pytest.mark.parametrize(
        ("numbers", "dtype"),
        [([1, 2.5, 3], torch.float32), ([4, -5], torch.int64), ([2.0], torch.float32)],
        ids=str,
    )
    def test_the_list_decides_on_the_dtype(self, kata, numbers, dtype):
        tensors = returned.named(kata.make(numbers, (1, len(numbers))), MADE, "make")
        what = f"The tensor of {numbers}"
        causes = {
            "torch.Tensor(...) with a capital T always makes float32: torch.tensor(...) looks "
            "at the list": (torch.float32),
            "NumPy chose this dtype: give the list itself to torch.tensor(...)": torch.float64,
            "one decimal point anywhere makes all float32: leave the choice to torch": torch.int64,
        }
        expect.dtype(tensors["numbers"], dtype, what, causes)
        expect.close(tensors["numbers"], np.array(numbers), what)

    @pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 3, 2)], ids=str)
    def test_the_shape_may_have_any_number_of_sizes(self, kata, shape):
        tensors = returned.named(kata.make([1], shape), MADE, "make")
        for name in MADE[1:]:
            expect.shape(tensors[name], shape, what=f'"{name}" of shape {shape}')
            expect.dtype(tensors[name], torch.float32, what=f'"{name}"')
        for number, name in enumerate(("zeros", "ones")):
            swapped = {"zeros and ones have each other's place": np.full(shape, 1 - number)}
            expect.close(tensors[name], np.full(shape, number), f'"{name}"', swapped)

    @pytest.mark.parametrize(
        ("name", "share_below"),
        [("uniform", lambda x: x.clamp(0, 1)), ("normal", torch.special.ndtr)],
        ids=["uniform", "normal"],
    )
    def test_random_numbers_have_their_distribution(self, kata, name, share_below):
        tensor = returned.named(kata.make([1], (100, 100)), MADE, "make")[name]
        numbers = tensor.flatten().sort().values
        shares = torch.arange(1, 10_001) / 10_000
        furthest = (share_below(numbers) - shares).abs().max()
        expect.that(
            furthest < 0.04,  # of right numbers not one draw in 10^12 comes so far
            f'"{name}" has the wrong distribution.',
            seen=f"mean {tensor.mean():.2g}, std {tensor.std():.2g}, from {tensor.min():.2g} to"
            f" {tensor.max():.2g}",
            expected="mean 0.5, std 0.29, from 0 to 1, all equally likely"
            if name == "uniform"
            else "mean 0, std 1",
            likely="standard normal numbers have the standard deviation 1: torch.randn as it is"
            if name == "normal" and abs(tensor.mean()) < 0.1
            else "torch.rand is the uniform one, torch.randn the normal one, each as it is",
        )

    def test_random_numbers_are_new_in_each_call(self, kata):
        first, second = (returned.named(kata.make([1], (50,)), MADE, "make") for _ in range(2))
        for name in ("uniform", "normal"):
            expect.that(
                not torch.equal(first[name], second[name]),
                f'"{name}" has the same numbers in every call.',
                seen="the same numbers twice",
                expected="other numbers in each call",
                likely="make sets a seed, or the numbers are made once, outside the function",
            )

    @pytest.mark.parametrize("shape", [(2, 3, 2), (5,), ()], ids=str)
    def test_about_gives_dtype_shape_and_dimensions(self, kata, shape):
        entries = "these are all its entries: tensor.ndim counts the dimensions"
        uncalled = "tensor.dim is a method, and it is not called: tensor.dim() or tensor.ndim"
        tensor = torch.zeros(shape, dtype=torch.int16)
        causes = {
            entries: (torch.int16, shape, int(np.prod(shape))),
            uncalled: (torch.int16, shape, tensor.dim),
            "a list came where a tuple was asked for: tuple(tensor.shape)": (
                torch.int16,
                list(shape),
                len(shape),
            ),
            "str() makes a text of the dtype: tensor.dtype is the dtype itself": (
                "torch.int16",
                shape,
                len(shape),
            ),
        }
        if shape:
            rows = "len(tensor) counts the rows: tensor.ndim counts the dimensions"
            causes[rows] = (torch.int16, shape, shape[0])
        seen = kata.about(tensor)
        expect.equal(
            seen, (torch.int16, shape, len(shape)), f"about a tensor of shape {shape}", causes
        )

    @pytest.mark.placement
    def test_about_asks_a_tensor_on_any_device(self, kata, device):
        seen = placement.same(
            kata.about, torch.ones(2, 3, device=device), device=device, what="about a tensor"
        )
        expect.equal(seen, (torch.float32, (2, 3), 2), what=f"about a tensor on {device}")


@pytest.mark.task("combine")
class TestCombine:
    @pytest.mark.parametrize("n", [3, 4, 1])
    def test_row_and_column_are_combined_in_three_ways(self, kata, n):
        row, column = 1.0 + torch.arange(n)[None], 10 * 2.0 ** torch.arange(n)[:, None]
        with expect.untouched("The row or the column", row, column):
            seen = returned.named(kata.combine(row, column), COMBINED, "combine")
        right = {"sums": row + column, "products": row * column, "matrix_product": row @ column}
        for name in COMBINED:
            causes = {
                "the table is transposed: the column's entries run down the rows": right[name].T,
                "both got the same shape first: leave them as they are to be broadcast": (
                    right[name].diagonal()[None]
                ),
                "this is the table of products, row * column or column @ row": right["products"],
                "this is the matrix product, row @ column": right["matrix_product"],
                "this is the table of sums, row + column": right["sums"],
                "this is a difference: add the two": [column - row, row - column],
                "the products of all pairs are added: a matrix product adds those of entries that"
                " stand at the same place": right["products"].sum().reshape(1, 1),
                "a single number came out of it: row @ column has the shape (1, 1)": right[name][
                    0, 0
                ],
            }
            expect.close(seen[name], right[name], what=f'"{name}"', causes=causes)

    @pytest.mark.parametrize("number", [0, 2, -1])
    def test_cross_gives_a_row_and_a_column(self, kata, number):
        table = torch.arange(12).reshape(3, 4)
        row = table[number]
        column = table[:, number]
        seen = returned.several(kata.cross(table, number), 2, "cross", "row, column")
        swapped = "this is the column: the first index counts the rows, table[number]"
        no_column = (
            "this is the row: the first index counts the rows, and table[:] is the whole table"
            " again; the second counts the columns, table[:, number]"
        )
        keeps = "a slice or list keeps its dimension: index with the number alone, table[{}]"
        empty = "a slice such as -1:0 is empty: index with the number alone"
        before = "this is the one before: number is counted from 0, so nothing is taken off it"
        causes = {swapped: column, keeps.format("number"): row[None], before: table[number - 1]}
        expect.close(seen[0], row, f"Row {number}", {**causes, empty: torch.empty(0)})
        causes = {no_column: row, keeps.format(":, number"): column[:, None]}
        causes |= {empty: torch.empty(0), before: table[:, number - 1]}
        expect.close(seen[1], column, f"Column {number}", causes)
        for tensor, what in zip(seen, ("row", "column"), strict=True):
            causes = {"the table's own dtype is asked for: no .float() is needed": torch.float32}
            expect.dtype(tensor, torch.int64, f"The {what} of a table of int64", causes)

    @pytest.mark.parametrize("size", [(1, 4), (3, 1), (1, 1)], ids=str)
    def test_cross_of_a_single_row_or_column(self, kata, size):
        table = torch.arange(1, 1 + size[0] * size[1]).reshape(size)
        row, column = returned.several(kata.cross(table, 0), 2, "cross", "row, column")
        squeezed = {"squeeze() takes every size of 1 away: index with the number alone": ()}
        expect.shape(row, size[1:], what=f"The row of a table {size}", causes=squeezed)
        expect.shape(column, size[:1], what=f"The column of a table {size}", causes=squeezed)

    @pytest.mark.placement
    def test_results_follow_their_device(self, kata, device):
        what = "A combination of row and column"
        placement.check(kata.combine, ROW, COLUMN, device=device, what=what)
        placement.check(kata.cross, ROW * COLUMN, 1, device=device, what=what)


@pytest.mark.task("puzzles")
class TestPuzzles:
    def test_centered_takes_the_mean_of_each_column_off(self, kata):
        causes = {
            WHOLE_TABLE.format("mean"): TABLE - TABLE.mean(),
            OTHER_WAY.format("means", "rows"): TABLE - TABLE.mean(dim=1, keepdim=True),
            "the sum of each column was taken off, not its mean": TABLE - TABLE.sum(dim=0),
            "these are the means: take them off the table": TABLE.mean(dim=0),
            "the sign is turned around: it is the table minus the means": TABLE.mean(dim=0) - TABLE,
            "this is the median, not the mean": TABLE - TABLE.median(dim=0).values,
            "a mean divides the sum by the number of rows": TABLE - TABLE.sum(dim=0) / 2,
            "the table is standardized: leave out the division by the standard deviation": (
                (TABLE - TABLE.mean(dim=0)) / TABLE.std(dim=0)
            ),
        }
        with expect.untouched("The table", TABLE):
            seen = puzzle(kata.centered, TABLE, what="centered(table)", likely=MEANS)
        expect.close(seen, TABLE - TABLE.mean(dim=0), what="centered(table)", causes=causes)
        expect.dtype(seen, torch.float32, what="centered(table)")

    def test_shares_divides_each_row_by_its_sum(self, kata):
        right = TABLE / TABLE.sum(dim=1, keepdim=True)
        causes = {
            WHOLE_TABLE.format("sum"): TABLE / TABLE.sum(),
            OTHER_WAY.format("sums", "columns"): TABLE / TABLE.sum(dim=0),
            "each row was divided by its mean, not by its sum": right * 2,
            "these are the sums: divide the table by them": TABLE.sum(dim=1, keepdim=True),
            "each row was divided by its largest number": TABLE / TABLE.amax(dim=1, keepdim=True),
            "this is softmax, which takes exp of each number first": TABLE.softmax(dim=1),
        }
        with expect.untouched("The table", TABLE):
            seen = puzzle(kata.shares, TABLE, what="shares(table)")
        expect.close(seen, right, what="shares(table)", causes=causes)
        expect.dtype(seen, torch.float32, what="shares(table)")
        tiny = TABLE * 1e-20
        causes = {ADDED: [tiny / (tiny.sum(dim=1, keepdim=True) + 10.0**n) for n in range(-16, 0)]}
        expect.close(kata.shares(tiny), right, "shares of tiny numbers", causes)

    @pytest.mark.parametrize("size", [2, 3], ids=["2 by 2", "3 by 3"])
    def test_square_tables_show_which_way_it_goes(self, kata, size):
        table = torch.arange(1.0, size * size + 1).reshape(size, size) ** 2
        right = table / table.sum(dim=1, keepdim=True)
        causes = {
            "the sums of the rows were used as a row, not as a column: keepdim=True keeps them"
            " a column": table / table.sum(dim=1),
            OTHER_WAY.format("sums", "columns"): table / table.sum(dim=0),
        }
        expect.close(kata.shares(table), right, f"shares of a {size} by {size} table", causes)
        causes = {
            OTHER_WAY.format("means", "rows"): table - table.mean(dim=1, keepdim=True),
            "a mean divides by the number of rows, not by 3": table - table.sum(dim=0) / 3,
        }
        right = table - table.mean(dim=0)
        expect.close(kata.centered(table), right, f"centered, {size} by {size}", causes)

    @pytest.mark.parametrize("count", [4, 3, 1])
    def test_gaps_compares_each_number_with_each(self, kata, count):
        numbers = NUMBERS[:count]
        differences = numbers[:, None] - numbers
        causes = {
            "a distance is never below 0: abs() is missing": [differences, -differences],
            "the distances are squared: use abs()": differences**2,
            "each number was only compared with itself: one of the two has to be a row, the other"
            " a column": [torch.zeros(shape) for shape in ((count,), (1, count), (count, 1))],
            "abs() is taken of the numbers: it belongs around their difference": [
                sign * (numbers[:, None].abs() - numbers.abs()) for sign in (1, -1)
            ],
            "the distances are between neighbours only": numbers.diff().abs(),
            "only half of the table is filled": differences.abs().triu(),
            "differences below 0 are cut off: abs() turns their sign": differences.clamp(min=0),
            "these are the sums of all pairs, not the distances": (numbers[:, None] + numbers),
        }
        with expect.untouched("The numbers", numbers):
            seen = kata.gaps(numbers)
        expect.close(seen, differences.abs(), what="gaps(numbers)", causes=causes)
        expect.dtype(seen, torch.float32, what="gaps(numbers)")

    @pytest.mark.parametrize("size", [1e20, 1e-25])
    def test_gaps_takes_numbers_of_any_size(self, kata, size):
        numbers = size * torch.linspace(-3, 5, 40)
        seen, right = kata.gaps(numbers), (numbers[:, None] - numbers).abs()
        squared = "a square is inf or 0 where the number is not: abs() needs none"
        causes = {squared: (numbers[:, None] - numbers).square().sqrt()}
        causes = {text: value / size for text, value in causes.items()}
        expect.close(seen / size, right / size, f"gaps of numbers around {size:g}", causes)

    @pytest.mark.parametrize(("n", "classes"), [(5, 5), (5, 7), (1, 3)])
    def test_one_hot_marks_the_class_of_each_example(self, kata, n, classes):
        labels, right = LABELS[:n], torch.eye(classes)[LABELS[:n]]
        with expect.untouched("The labels", labels):
            seen = puzzle(kata.one_hot, labels, classes, what="one_hot(labels, classes)")
        what = f"one_hot of {counted(n, 'label')} and {classes} classes"
        largest = "the number of classes is the argument, not the largest label"
        transposed = "rows and columns are swapped: each example is a row"
        side_by_side = "labels and classes stand side by side: make the labels a column"
        lost = (
            "the row of a single label is missing: labels as a column give one, squeeze() takes it"
        )
        shapes = {side_by_side: (n,), transposed: (classes, n), largest: (n, int(labels.max()) + 1)}
        shapes |= {lost: (classes,)} if n == 1 else {}
        expect.shape(seen, (n, classes), what, causes=shapes)
        causes = {
            "ones and zeros are swapped": 1 - right,
            transposed: right.T,
            "the classes are counted from 1: arange(classes) begins at 0": [
                right.roll(-1, dims=1),
                (labels[:, None] == torch.arange(1, classes + 1)).float(),
            ],
        }
        expect.close(seen, right, what, causes)
        said = {
            "== gives True and False: .float() makes 1.0 and 0.0 of them": torch.bool,
            "int64 came out of it: .float() makes float32": torch.int64,
        }
        expect.dtype(seen, torch.float32, what, causes=said)

    @pytest.mark.placement
    @pytest.mark.parametrize("name", PUZZLES)
    def test_results_follow_their_device(self, kata, device, name):
        what = f"The result of {name}"
        placement.check(getattr(kata, name), *PUZZLES[name], device=device, what=what)


@pytest.mark.task("to_tensors")
class TestToTensors:
    def test_sine_bands_have_the_right_shapes(self, kata):
        features, labels = both(kata, *sine_bands_arrays())
        expect.shape(features, (25, 2), what="The feature tensor")
        causes = {STRETCHED: (25,), "a row, not a column": (1, 25)}
        expect.shape(labels, (25, 1), "The label tensor", causes)

    @pytest.mark.parametrize(("n", "d"), [(7, 3), (1, 1)])
    def test_sizes_come_from_the_data(self, kata, n, d):
        features, labels = both(kata, np.ones((n, d)), np.zeros(n))
        squeezed = "squeeze() takes every size of 1 away, also that of a single example"
        what = f"The feature tensor of {counted(n, 'example')} with {counted(d, 'feature')}"
        expect.shape(features, (n, d), what, causes={squeezed: ()})
        causes = {STRETCHED: (n,), squeezed: ()}
        expect.shape(
            labels, (n, 1), what=f"The label tensor of {counted(n, 'example')}", causes=causes
        )

    @pytest.mark.parametrize("given", [np.float64, np.float32, np.int64])
    def test_both_are_float32(self, kata, given):
        features, labels = both(kata, np.ones((4, 2), given), np.ones(4, given))
        for tensor, what in ((features, "The feature tensor"), (labels, "The label tensor")):
            expect.dtype(tensor, torch.float32, what=f"{what} made from {given.__name__}")

    def test_values_are_kept(self, kata):
        given = sine_bands_arrays()
        features, labels = both(kata, *given)
        cut = {
            "an integer dtype on the way cuts off what follows the decimal point": given[0].astype(
                int
            )
        }
        expect.close(features, given[0], "The feature tensor", cut)
        expect.close(labels, given[1].reshape(-1, 1), what="The label tensor")
        given = given[0], np.linspace(-300, 300, 25)
        cut = {"a small dtype on the way: float32 all the way": given[1].astype(np.int8)[:, None]}
        cut["an integer dtype on the way"] = given[1].astype(int)[:, None]
        labels = both(kata, *given)[1]
        expect.close(labels, given[1][:, None], "The tensor of labels with decimals", cut)

    @pytest.mark.parametrize("given", [np.float64, np.float32])
    def test_memory_is_not_shared(self, kata, given):
        arrays = np.ones((4, 2), given), np.ones(4, given)
        tensors = both(kata, *arrays)
        for array, tensor, what in zip(arrays, tensors, ("features", "labels"), strict=True):
            check_own_memory(tensor, array, what, "to_tensors")


@pytest.mark.task("to_class_indices")
class TestToClassIndices:
    @pytest.mark.parametrize("given", [np.float64, np.float32, np.int64, np.int32])
    def test_class_numbers_are_int64(self, kata, given):
        causes = {
            "torch.LongTensor is int64; IntTensor and torch.int are int32": torch.int32,
            "nn.CrossEntropyLoss takes floats as probabilities, not as class numbers": (
                torch.float32
            ),
        }
        expect.dtype(
            kata.to_class_indices(np.array([0, 2, 1], given)),
            torch.int64,
            what=f"The class numbers made from {given.__name__}",
            causes=causes,
        )

    @pytest.mark.parametrize("given", [(5,), (5, 1), (1,), (1, 1)], ids=str)
    def test_class_numbers_are_flat(self, kata, given):
        indices = kata.to_class_indices(np.zeros(given))
        causes = {
            "nn.CrossEntropyLoss wants (n,), and takes a column for probabilities": (given[0], 1),
            "squeeze() takes every size of 1 away, also that of a single example: reshape(-1)": (),
        }
        what = f"The class numbers of labels with shape {given}"
        expect.shape(indices, given[:1], what=what, causes=causes)

    def test_values_are_kept(self, kata):
        labels = np.array([2.0, 0.0, 1.0, 1.0])
        causes = {
            "this marks the classes of each example instead of naming them": np.eye(3)[
                labels.astype(int)
            ],
            "1 was added to each: the class numbers begin at 0, as the labels do": labels + 1,
        }
        expect.close(kata.to_class_indices(labels), labels, what="The class numbers", causes=causes)

    def test_any_class_number_is_kept(self, kata):
        labels = np.array([7.0, 300.0, 2.0, 7.0, 70_000.0])
        causes = {"the classes that occur are numbered anew: keep the labels": [1, 2, 0, 1, 3]}
        for bits in (8, 16):
            cut = f"class numbers do not fit into {bits} bits: int64 all the way"
            causes[cut] = labels.astype(int) % 2**bits
        expect.close(kata.to_class_indices(labels), labels, "The class numbers", causes)

    def test_memory_is_not_shared(self, kata):
        labels = np.zeros(3, np.int64)
        check_own_memory(kata.to_class_indices(labels), labels, "label", "to_class_indices")


@pytest.mark.task("to_numpy")
class TestToNumpy:
    @pytest.mark.parametrize("shape", [(2, 3), (), (3, 1)], ids=str)
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64], ids=str)
    def test_gives_an_array_with_the_same_numbers(self, kata, dtype, shape):
        tensor = torch.arange(1, 7, dtype=dtype)[: int(np.prod(shape))].reshape(shape)
        array = array_of(kata.to_numpy(tensor))
        expect.close(array, tensor, what="The array")
        headline = f"The array of a {dtype} tensor has the wrong dtype."
        seen = array.dtype
        expected = tensor.numpy().dtype
        likely = "a conversion that is not asked for: .float(), .astype(...)"
        expect.that(seen == expected, headline, seen=seen, expected=expected, likely=likely)

    def test_takes_a_tensor_that_records_gradients(self, kata):
        tensor = torch.ones(3, requires_grad=True)
        expect.close(array_of(kata.to_numpy(tensor)), np.ones(3), what="The array")

    def test_leaves_the_tensor_recording(self, kata):
        weights = torch.ones(3, requires_grad=True)
        tensor = weights * 2
        kata.to_numpy(weights)
        kata.to_numpy(tensor)
        expect.that(
            weights.requires_grad and tensor.requires_grad,
            "After to_numpy the tensor no longer records gradients.",
            seen=f"requires_grad={weights.requires_grad} and {tensor.requires_grad}",
            expected="True and True",
            likely=(
                "detach_() and requires_grad_(False) change the tensor itself: detach() gives"
                " another one"
            ),
        )

    def test_memory_is_not_shared(self, kata):
        tensor = torch.zeros(3)
        array = array_of(kata.to_numpy(tensor))
        array[:] = 5
        headline = "A change of the array changed the tensor it was made from."
        likely = "the memory is shared: on the CPU .numpy() is a view of the tensor, so copy it"
        expect.that(
            tensor[0] == 0, headline, seen=tensor[0].item(), expected="0, as it was", likely=likely
        )

    @pytest.mark.placement
    def test_takes_a_tensor_from_any_device(self, kata, device):
        tensor = torch.arange(3.0, device=device)
        for given in (tensor, tensor.clone().requires_grad_()):
            expect.close(
                array_of(placement.same(kata.to_numpy, given, device=device, what="The array")),
                np.arange(3.0),
                what=f"The array of a tensor on {device}",
            )
            expect.on_device(
                given,
                device,
                what="The tensor that was given",
                likely=".data = ... changes the tensor itself",
            )


class TestPlacement:
    @pytest.mark.placement
    @pytest.mark.parametrize(
        "name", [pytest.param(name, marks=pytest.mark.task(name)) for name in TENSORS]
    )
    def test_tensors_are_made_on_the_cpu(self, kata, name):
        for tensor in TENSORS[name](kata):
            expect.on_device(tensor, torch.device("cpu"), what=f"A tensor that {name} gives")


SHARED = (
    "the memory is shared: torch.tensor(array) copies, torch.from_numpy(array) and"
    " torch.as_tensor(array) do not"
)
CAPITAL = "a capital T, as in torch.Tensor, shares the memory: torch.tensor(array) copies"
ADDED = "a small number is added to the sums, beside which small sums count for nothing"
AS_COLUMN = (
    "shapes are compared from the right: one of the two has to be a column (n, 1), as keepdim=True"
    " or [:, None] makes it"
)
MEANS = (
    "the means of the columns are taken off: mean(dim=0) goes down the rows and gives a row (d,),"
    " which fits as it is; mean(dim=1) gives a number for each row"
)


def puzzle(function, *args: object, what: str, likely: str = "") -> object:
    """What a puzzle gives; sizes that do not fit are explained in the words of the lesson."""
    try:
        return function(*args)
    except RuntimeError as error:
        if "must match the size" in str(error):
            headline, right = f"{what}: two shapes do not fit.", "shapes that can be broadcast"
            expect.unmet(headline, seen=error, expected=right, likely=likely or AS_COLUMN)
        raise


def both(kata, features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """The two tensors, once it is sure that there are two."""
    return returned.several(
        kata.to_tensors(features, labels), 2, "to_tensors", "features, labels: both, in this order"
    )


def array_of(value: object) -> np.ndarray:
    """An array, nothing else."""
    likely = "`return` is missing" if value is None else "tensor.numpy() makes the array"
    expect.that(
        isinstance(value, np.ndarray),
        "to_numpy does not return an array.",
        seen=type(value).__name__,
        expected="numpy.ndarray",
        likely=likely,
    )
    return value


def check_own_memory(tensor: Tensor, array: np.ndarray, what: str, who: str) -> None:
    """A change of the array leaves the tensor made from it alone."""
    before = tensor.flatten()[0].item()
    array[:] = before + 5
    seen = tensor.flatten()[0].item()
    others = any(subject.uses(who, word) for word in ("from_numpy(", "as_tensor("))
    is_capital = subject.uses(who, "Tensor(") and not others
    expect.that(
        seen == before,
        f"A change of the {what} array changed the tensor made from it.",
        seen=seen,
        expected=f"{before:g}, as it was when the tensor was made",
        likely=expect.told(CAPITAL) if is_capital else SHARED,
    )
