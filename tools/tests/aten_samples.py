"""Arguments for torch's own operations: made from their signatures, and by hand where a signature
says too little.
"""

import functools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

Call = tuple[list[object], dict[str, object]]

# The shape of the first tensor, of a second one, and of any more.
SHAPES = (
    ((3, 4), (3, 4), (3, 4)),
    ((3, 4), (4,), (3, 1)),  # stretched
    ((), (), ()),
    ((0, 4), (0, 4), (0, 4)),
    ((4, 4), (4, 4), (4, 4)),
    ((4,), (4,), (4,)),
    ((2, 3, 4), (2, 4, 3), (2, 3, 3)),
)
NUMBERS = {
    "p": 0.25,
    "negative_slope": 0.1,
    "beta": 2.0,
    "threshold": 0.1,
    "low": 1,
    "high": 5,
    "to": 5,
    "reduction": 1,
}
AXES = {"dim0": 0, "dim1": 1, "dim2": 1, "dim": 0, "axis": 0}
INDICES = {"index", "indices", "target"}
MASKS = {"mask", "condition"}


def numbers(shape: Sequence[int], dtype: torch.dtype, seed: int = 0) -> Tensor:
    """The same numbers for the same seed: of both signs, some of them small, none zero where there
    is a fraction.
    """
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.rand(shape, generator=generator) > 0.5
    if not dtype.is_floating_point:
        return torch.randint(-3, 6, tuple(shape), generator=generator).to(dtype)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def calls(
    op: torch._ops.OpOverload, dtype: torch.dtype, shapes: Sequence = SHAPES
) -> Iterator[Call]:
    """Arguments for an operation, one for each choice of shapes; whether they fit is for the CPU to
    say.
    """
    for choice in shapes:
        positional, named, count = [], {}, 0
        for argument in op._schema.arguments:
            kind, name = str(argument.type), argument.name
            if argument.has_default_value():
                continue
            shape = choice[min(count, 2)]
            count += "Tensor" in kind
            value = _value(kind, name, shape, dtype, count)
            if argument.kwarg_only:
                named[name] = value
            elif len(positional) == op._schema.arguments.index(argument):
                positional.append(value)
            else:
                named[name] = value
        yield positional, named


def _value(kind: str, name: str, shape: Sequence[int], dtype: torch.dtype, seed: int) -> object:
    if kind in ("Tensor", "Optional[Tensor]"):
        if name in INDICES:
            return numbers(shape, torch.int64, seed).abs() % 2
        return numbers(shape, torch.bool if name in MASKS else dtype, seed)
    if kind in ("List[Tensor]", "List[Optional[Tensor]]"):
        if name == "indices":
            return [torch.tensor([0, 1, 0])]
        return [numbers(shape, dtype, seed), numbers(shape, dtype, seed + 10)]
    if kind.startswith("List[number") or kind == "List[Scalar]":
        return [2, 3]
    if "List[int]" in kind or "List[SymInt]" in kind:
        return [0] if "dim" in name else [1, 0] if name == "dims" else [2, 2]
    if kind in ("int", "SymInt", "Optional[int]"):
        return AXES.get(name, NUMBERS.get(name, 1))
    if kind in ("number", "Scalar", "Optional[number]"):
        return NUMBERS.get(name, 2 if dtype == torch.bool or not dtype.is_floating_point else 0.5)
    return {
        "float": NUMBERS.get(name, 0.5),
        "bool": False,
        "str": "mean",
        "List[float]": [0.5],
        "List[bool]": [True] * 3,
    }.get(kind)


@functools.cache
def by_hand(dtype: torch.dtype) -> dict[str, list[Call]]:
    """Arguments that no signature tells, or that are worth a try of their own."""
    x, y, row = numbers((3, 4), dtype), numbers((3, 4), dtype, 1), numbers((4,), dtype, 2)
    cube, square, vector = (
        numbers((2, 3, 4), dtype, 3),
        numbers((4, 4), dtype, 4),
        numbers((3,), dtype, 5),
    )
    share, truth = (
        torch.rand(3, 4, generator=torch.Generator().manual_seed(6)).to(dtype),
        numbers((3, 4), torch.bool).to(dtype),
    )
    weights = numbers((3, 4), torch.float64, 1).abs().to(dtype)
    classes, positions = torch.tensor([2, 0, 3]), torch.tensor([[0, 2, 1, 1]])
    single, one, two = (
        numbers((), dtype, 7),
        torch.ones((), dtype=dtype),
        torch.ones(4, dtype=dtype),
    )
    batch, channels = numbers((5, 4), dtype, 8), (numbers((4,), dtype, 9), numbers((4,), dtype, 10))
    running = numbers((4,), dtype, 11), weights[0]
    saved = (
        (batch.mean(0), batch.var(0, unbiased=False).add(1e-5).rsqrt())
        if dtype.is_floating_point
        else running
    )
    plane, many = numbers((2, 4, 3), dtype, 13), torch.tensor([[0, 2, 1], [3, 3, 0]])
    weighed = torch.tensor(6.0, dtype=dtype)
    cases = {
        "addbmm addbmm_": [(numbers((3, 3), dtype), cube, numbers((2, 4, 3), dtype, 1))],
        "baddbmm baddbmm_": [(numbers((2, 3, 3), dtype), cube, numbers((2, 4, 3), dtype, 1))],
        "addmv addmv_": [(vector, x, row)],
        "addr addr_": [(x, vector, row)],
        "addmm addmm_": [(numbers((3, 3), dtype), x, numbers((4, 3), dtype, 1))],
        "mm": [(x, numbers((4, 2), dtype, 1)), (numbers((3, 0), dtype), numbers((0, 2), dtype))],
        "mv": [(x, row)],
        "as_strided as_strided_": [(square, [2, 3], [4, 1], 1), (row, [2, 2], [1, 1])],
        "binary_cross_entropy": [(share, truth), (share, truth, weights, 2)],
        "binary_cross_entropy_backward": [(one, share, truth), (x, share, truth, None, 0)],
        "binary_cross_entropy_with_logits": [
            (x, truth),
            (x, truth, None, two, 0),
            (x, truth, weights, None, 2),
        ],
        "clamp clamp_": [(x, -0.5), (x, None, 0.5), (x, 0, 1)],
        "clamp.Tensor clamp_.Tensor": [(x, y), (x, None, row), (x, y, weights)],
        "diagonal_backward": [(vector, [3, 4], 0, 0, 1)],
        "mse_loss_backward": [(one, x, y, 1), (x, x, y, 0)],
        "huber_loss_backward": [(one, x, y, 1, 1.0), (x, x, y, 0, 0.5)],
        "native_layer_norm": [(x, [4], row, None, 1e-5), (x, [4], None, None, 1e-5)],
        "native_layer_norm_backward": [
            (x, y, [4], vector.unsqueeze(1), vector.unsqueeze(1), row, row, [True, True, True]),
            (x, y, [4], vector.unsqueeze(1), vector.unsqueeze(1), None, None, [True, False, False]),
        ],
        "native_group_norm": [(numbers((2, 4, 3), dtype), row, row, 2, 4, 3, 2, 1e-5)],
        "native_group_norm_backward": [
            (plane, plane, x[:2, :2], x[1:, :2], row, 2, 4, 3, 2, [True, True, True])
        ],
        "native_batch_norm": [
            (batch, *channels, *running, True, 0.1, 1e-5),
            (batch, *channels, *running, False, 0.1, 1e-5),
            (batch, None, None, None, None, True, 0.1, 1e-5),
        ],
        "native_batch_norm_backward": [
            (batch, batch + 1, channels[0], *running, *saved, True, 1e-5, [True, True, True]),
            (batch, batch + 1, channels[0], *running, *saved, False, 1e-5, [True, False, False]),
        ],
        "nll_loss_forward": [
            (x, classes, None, 1, -100),
            (x, classes, row, 0, -100),
            (x, classes, row, 2, 0),
        ],
        "nll_loss_backward": [
            (one, x, classes, row, 1, -100, weighed),
            (vector, x, classes, None, 0, -100, weighed),
        ],
        "nll_loss2d_forward": [(plane.unsqueeze(2), many.unsqueeze(1), row, 1, -100)],
        "nll_loss2d_backward": [
            (one, plane.unsqueeze(2), many.unsqueeze(1), row, 1, -100, weighed)
        ],
        "linalg_vector_norm": [(x, 2), (x, 1, [1], True), (x, float("inf"))],
        "repeat_interleave.Tensor": [(classes,)],
        "bincount": [(classes,), (classes, vector, 6)],
        "roll": [(x, [1], [0]), (x, [2])],
        "view": [(x, [2, 6]), (x, [-1]), (x, [12, 1])],
        "_reshape_alias": [(x, [2, 6], [6, 1])],
        "_unsafe_view": [(x, [4, 3])],
        "expand": [(row, [3, 4]), (x, [2, -1, -1]), (single, [3])],
        "permute": [(cube, [2, 0, 1])],
        "slice.Tensor": [(x, 0, 1, 3), (x, 1, None, None, 2), (x, 0, -1, 100)],
        "split.Tensor unsafe_split.Tensor": [(x, 2), (x, 3, 1)],
        "split_with_sizes": [(x, [1, 2]), (x, [3, 0, 1], 1)],
        "diagonal": [(x,), (square, 1), (cube, 0, 0, 2)],
        "index.Tensor": [
            (x, [classes[:2]]),
            (x, [None, classes]),
            (x, [truth.bool()]),
            (x, [classes[1:2], classes[:1]]),
            (x, [torch.zeros(3, 4, dtype=torch.bool)]),
        ],
        "index_put index_put_ _index_put_impl_": [
            (x, [classes[:2]], row),
            (x, [truth.bool()], single),
            (x, [torch.tensor([1, 1])], row, True),
        ],
        "index_select": [(x, 1, classes), (x, 0, torch.tensor(1))],
        "index_add index_add_ index_copy index_copy_": [(x, 1, torch.tensor([2, 0]), y[:, :2])],
        "index_fill.int_Tensor index_fill_.int_Tensor": [(x, 1, torch.tensor([2, 0]), one)],
        "put put_": [
            (x, torch.tensor([[0, 5], [11, 3]]), numbers((2, 2), dtype)),
            (x, classes, vector, True),
        ],
        "masked_scatter_backward": [(x, truth.bool(), [3, 4])],
        "index_fill.int_Scalar index_fill_.int_Scalar": [(x, 1, torch.tensor([2, 0]), 1)],
        "gather": [(x, 0, positions), (x, 1, positions)],
        "scatter.src scatter_.src scatter_add scatter_add_": [(x, 0, positions, y)],
        "scatter.value scatter_.value": [(x, 1, positions, 1)],
        "take": [(x, torch.tensor([[0, 5], [11, 3]]))],
        "masked_select": [(x, truth.bool()), (x, truth.bool()[0])],
        "masked_scatter masked_scatter_": [(x, truth.bool(), y)],
        "where.self": [
            (truth.bool(), x, y),
            (truth.bool(), single, x),
            (truth.bool()[0], x, single),
        ],
        "embedding": [(x, torch.tensor([[0, 2], [1, 1]])), (x, classes[:2], 0)],
        "embedding_dense_backward": [
            (y[:2], classes[:2], 4, -1, False),
            (y[:2], classes[:2], 4, 0, True),
        ],
        "cat": [([x, y],), ([x, y[:1]],), ([x, y], 1), ([x, numbers((0,), dtype)],)],
        "stack": [([x, y],), ([x, y], -1)],
        "sum.dim_IntList mean.dim": [(x, [0]), (x, [0, 1], True), (cube, [-1]), (x, None)],
        "std.correction var.correction": [(x,), (x, [1])],
        "amax amin": [(x,), (cube, [0, 2], True)],
        "any.dims all.dims": [(x, [0, 1]), (x, None)],
        "argmax argmin": [(x,), (x, 1, True)],
        "topk": [(x, 2), (x, 1, 0, False)],
        "kthvalue": [(x, 2), (x, 1, 0)],
        "logsumexp": [(x, [1]), (x, [0, 1], True)],
        "equal": [(x, x), (x, y), (x, row)],
        "nonzero": [(truth,), (x,)],
        "_unique2": [(classes, True, True, True), (x,)],
        "searchsorted.Tensor bucketize.Tensor": [(torch.arange(4).to(dtype), row)],
        "native_dropout": [(x, 0.5, True), (x, 0.5, False)],
        "native_dropout_backward": [(x, truth.bool(), 2.0)],
        "_prelu_kernel": [(x, row), (x, one)],
        "_prelu_kernel_backward": [(x, y, row)],
        "_cdist_forward": [(x, y, 2.0, None), (x, y[:2], 1.0, None)],
        "_cdist_backward": [(x[:, :2], x, y[:2], 2.0, torch.ones(3, 2, dtype=dtype))],
        "_cummax_helper _cummin_helper": [(x, truth, torch.zeros(3, 4, dtype=torch.int64), 1)],
        "_softmax_backward_data _log_softmax_backward_data": [
            (x, share, 1, dtype),
            (x, share, 0, dtype),
        ],
        "glu_backward": [(x[:, :2], y, 1)],
        "unfold_backward": [(numbers((3, 3, 2), dtype), [3, 4], 1, 2, 1)],
        "bernoulli.Tensor bernoulli_.Tensor": [(x, share)],
        "bernoulli": [(share,)],
        "multinomial": [(share, 2), (share, 5, True)],
        "normal.Tensor_Tensor": [(x, share)],
        "constant_pad_nd": [(x, [1, 2]), (x, [0, 1, -1, 0], 2)],
        "flip": [(x, [0, 1]), (x, [])],
        "repeat": [(x, [2, 1]), (row, [2, 0])],
        "round.decimals round_.decimals": [(x,)],
        "tril tril_ triu triu_": [(x, 1), (cube, -1)],
        "_softmax _log_softmax": [(x, 1, False), (x, 0, False)],
        "unfold": [(x, 1, 2, 1)],
        "copy_ copy": [(x, y), (x, row), (x, numbers((3, 4), torch.int64)), (x, single)],
        "_foreach_addcmul.Scalar _foreach_addcmul_.Scalar _foreach_addcdiv.Scalar "
        "_foreach_addcdiv_.Scalar": [([x, row], [y, row], [y, row]), ([x], [y], [x], 0.5)],
        "_foreach_add.List _foreach_add_.List _foreach_sub.List _foreach_sub_.List": [
            ([x, row], [y, row])
        ],
    }
    named = {
        "norm.ScalarOpt_dim_dtype": [((x, 2, [1], True), {"dtype": torch.float64})],
        "norm.ScalarOpt_dtype": [((x, 2), {"dtype": torch.float64})],
        "_to_copy": [
            ((x,), {"dtype": torch.float64}),
            ((x,), {"dtype": torch.int64}),
            ((x,), {"dtype": torch.bool}),
        ],
        "clone": [((x,), {"memory_format": torch.contiguous_format})],
        "std.correction var.correction std_mean.correction var_mean.correction": [
            ((x, [0]), {"correction": 0, "keepdim": True})
        ],
        "sum.dim_IntList": [((x, [1]), {"dtype": torch.float64})],
        "add.Tensor add_.Tensor sub.Tensor sub_.Tensor": [((x, y), {"alpha": 2})],
        "div.Tensor_mode div_.Tensor_mode": [
            ((x, y), {"rounding_mode": mode}) for mode in ("floor", "trunc", None)
        ],
        "addcdiv addcdiv_ addcmul addcmul_": [((x, y, y), {"value": 0.5})],
        "sort.stable": [((x,), {"stable": True, "descending": True})],
        "empty_like zeros_like ones_like rand_like": [((x,), {"dtype": torch.float64})],
        "full": [(([2, 3], 1.5), {}), (([2, 3], 1), {"dtype": torch.float64}), (([], True), {})],
        "arange.start_step": [((0, 5, 2), {}), ((0.0, 1.0, 0.25), {"dtype": torch.float64})],
        "randint.low": [((1, 7, [3, 2]), {"dtype": torch.int32})],
        "normal_": [((x, 1.0, 2.0), {})],
    }
    found: dict[str, list[Call]] = {}
    for names, some in cases.items():
        for name in names.split():
            found.setdefault(name, []).extend((list(args), {}) for args in some)
    for names, some in named.items():
        for name in names.split():
            found.setdefault(name, []).extend((list(args), kwargs) for args, kwargs in some)
    return found
