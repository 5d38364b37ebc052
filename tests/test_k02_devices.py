"""k02: which device is picked when which are there, and what moving a batch does to it and leaves
alone.
"""

import pytest
import torch

from dojo.suite import devices
from tests.support import expect, placement

META = torch.device("meta")  # is on every machine
BATCHES = {
    "tuple": lambda features, labels: (features, labels),
    "list": lambda features, labels: [features, labels],
    "dict": lambda features, labels: {"features": features, "labels": labels},
}
WRITTEN_IN = "a device is written into the code: send the tensors to the argument `device`"
ONLY_TENSORS = (
    "only tensors are moved: ask isinstance(entry, torch.Tensor), and pass on anything else"
)
MODEL = "everything that has a to() is moved, which moves a model itself: only tensors are meant"
UNUSED = (
    "this is the tensor that was given: tensor.to(device) moves nothing itself, so use what it"
    " gives back, and send it to the argument `device`, no other"
)
PARTLY = (
    "other tensors of the batch have arrived: all are moved, of any dtype and shape, and"
    " isinstance(entry, Tensor) tells them"
)
BY_NUMPY = (
    "the way leads through NumPy, which knows neither gradients nor devices: tensor.to(device) does"
    " it alone"
)

MACHINES = [{"cuda"}, {"mps"}, set(), {"cuda", "mps"}]  # what is there beside the CPU
MPS_FIRST = ("cuda", "mps", "cpu", "mps")
NO_CUDA, NO_MPS = ("cpu", "mps", "cpu", "mps"), ("cuda", "cpu", "cpu", "cuda")
PICKED = {  # cause → what its mistake picks on each of them, in one way or another
    "mps is asked for first": [MPS_FIRST],
    "whether cuda is there is not asked": [NO_CUDA, ("cuda",) * 4],
    "whether mps is there is not asked": [NO_MPS, ("cuda", "mps", "mps", "cuda")],
    "the answer is kept from an earlier call: ask anew in every call": [
        (kind,) * 4 for kind in ("cuda", "mps", "cpu")
    ],
    "a later line overwrites the answer: return it at once, or ask on with elif": [
        MPS_FIRST,
        NO_CUDA,
        NO_MPS,
    ],
}


@pytest.mark.task("pick")
class TestPick:
    @pytest.mark.parametrize(
        ("there", "expected"),
        [
            pytest.param({"cuda"}, "cuda", id="cuda is there"),
            pytest.param({"mps"}, "mps", id="mps is there"),
            pytest.param(set(), "cpu", id="neither is there"),
            pytest.param({"cuda", "mps"}, "cuda", id="both are there"),
        ],
    )
    def test_takes_cuda_before_mps_before_cpu(self, kata, monkeypatch, there, expected):
        pretend(monkeypatch, kata, there)
        picked = kata.pick_device()
        likely = (
            "`return` is missing"
            if picked is None
            else f"{picked!r} is only its name: torch.device({picked!r})"
        )
        expect.that(
            isinstance(picked, torch.device),
            "pick_device does not return a device.",
            seen=repr(picked),
            expected=f"torch.device({expected!r})",
            likely=likely,
        )
        if picked.type == expected:
            likely = f"this is the number of another one: the first is {expected}:0, or {expected}"
            headline, first = "This device is not there.", not picked.index
            expect.that(first, headline, seen=picked, expected=expected, likely=likely)
            return
        kinds = []
        for machine in MACHINES:
            with monkeypatch.context() as patch:
                pretend(patch, kata, machine)
                kinds.append(kata.pick_device().type)
        headline = "There is a better device."
        if picked.type not in {*there, "cpu"}:
            headline = "This device is not there."
        told = [cause for cause, wrong in PICKED.items() if tuple(kinds) in wrong]
        likely = expect.told(*told) or "ask for cuda, then for mps, anew in every call"
        seen = f"{picked}, where there is {' and '.join([*sorted(there), 'cpu'])}"
        expect.unmet(headline, seen=seen, expected=expected, likely=likely)

    @pytest.mark.placement
    def test_a_tensor_can_be_made_on_it(self, kata, device, monkeypatch):
        if device.type == "simulated":
            pytest.skip("nobody picks the simulated device")
        pretend(monkeypatch, kata, {device.type})
        picked, likely = kata.pick_device(), "the tests before this one say why"
        there = torch.device(picked or "cpu").type == device.type
        expect.that(
            there, "The picked device can't be used.", seen=picked, expected=device, likely=likely
        )
        expect.on_device(
            torch.ones(2, device=picked), device, what="A tensor made on the picked device"
        )


@pytest.mark.task("move")
class TestMove:
    @pytest.mark.parametrize("kind", BATCHES)
    def test_every_tensor_arrives(self, kata, kind):
        batch = BATCHES[kind](torch.randn(4, 2), torch.arange(4))
        moved = entries(move(kata, batch, META), batch)
        for name, entry in moved:
            arrived(name, entry, batch, META, [other for _, other in moved])

    @pytest.mark.parametrize("length", [0, 1, 3, 7])
    @pytest.mark.parametrize("kind", [tuple, list])
    def test_a_batch_may_have_any_length(self, kata, kind, length):
        batch = kind(torch.ones(5) for _ in range(length))
        for name, entry in entries(move(kata, batch, META), batch):
            arrived(name, entry, batch, META)

    @pytest.mark.parametrize("kind", ["list", "dict"])
    def test_an_empty_batch_is_new_too(self, kata, kind):
        batch = [] if kind == "list" else {}
        new, seen = move(kata, batch, META) is not batch, f"the {kind} that was given"
        likely = f"make a new {kind}, also of no entries"
        headline = f"Of an empty {kind} no new one is made."
        expect.that(new, headline, seen=seen, expected=f"a new {kind}", likely=likely)

    @pytest.mark.parametrize("kind", [list, dict])
    def test_tensors_of_any_shape_arrive(self, kata, kind):
        tensors = [torch.tensor(7.5), torch.ones(0, 2), torch.nn.Parameter(torch.ones(3))]
        batch = [torch.ones(2, 3), *tensors]
        batch = dict(enumerate(batch, start=5)) if kind is dict else batch
        (usual, first), *others = entries(move(kata, batch, META), batch)
        arrived(usual, first, batch, META)
        whats = ("a single number", "an empty tensor", "an nn.Parameter")
        for what, (name, entry) in zip(whats, others, strict=True):
            entry = expect.tensor(entry, f"Entry {name} of the moved batch")
            expect.that(
                entry.device == META,
                f"Entry {name}, {what}, has not arrived.",
                seen=entry.device,
                expected=META,
                likely=expect.told(f"{what} is a tensor, too: isinstance(entry, Tensor) asks"),
            )

    def test_numbers_and_dtypes_are_kept(self, kata):
        batch = [torch.randn(4, 2), torch.arange(4), torch.randn(3, dtype=torch.float64)]
        batch += [torch.tensor([True, False]), torch.tensor(7), torch.ones(0, 2)]
        causes = {"only the device should change: leave out .float()": torch.float32}
        for name, entry in entries(move(kata, batch, torch.device("cpu")), batch):
            what = f"Entry {name}, moved to where it was"
            expect.dtype(entry, batch[name].dtype, what, causes=causes)
            expect.close(entry, batch[name], what)

    @pytest.mark.parametrize("kind", [tuple, list, dict])
    def test_anything_else_stays_as_it_is(self, kata, kind):
        others = [["a", "b"], 7, None, "name", 2.5, model := torch.nn.Linear(2, 1)]
        batch = [torch.ones(2, 3), *others, torch.arange(3)]
        batch = dict(zip("abcdefgh", batch, strict=True)) if kind is dict else kind(batch)
        moved = entries(move(kata, batch, META), batch)
        expect.on_device(model.weight, torch.device("cpu"), "A model among the entries", MODEL)
        for (name, entry), given in list(zip(moved, held(batch), strict=True))[1:-2]:
            expect.that(
                type(entry) is type(given) and entry == given,
                f"The entry {name!r}, which is not a tensor, has changed.",
                seen=repr(entry),
                expected=repr(given),
                likely=ONLY_TENSORS,
            )

    @pytest.mark.parametrize("kind", ["list", "dict"])
    def test_the_originals_stay_where_they_are(self, kata, kind):
        features = torch.ones(4, 2)
        labels = torch.arange(4)
        batch = BATCHES[kind](features, labels)
        moved = move(kata, batch, META)
        headline = f"The {kind} that was given has changed."
        expected = "the tensors it held, on the cpu"
        kept = [entry for _, entry in entries(batch, batch)]
        seen = ", ".join(f"a tensor on {entry.device}" for entry in kept)
        likely = (
            f"batch[...] = ... writes into the {kind} that was given, which others may still use:"
            " make a new one"
        )
        expect.that(
            kept[0] is features and kept[1] is labels,
            headline,
            seen=seen,
            expected=expected,
            likely=likely,
        )
        likely = "tensor.data = ... changes the tensor itself: tensor.to(device) gives another one"
        expect.that(
            features.device.type == "cpu", headline, seen=seen, expected=expected, likely=likely
        )
        headline = f"The {kind} that comes back is the one that was given."
        likely = f"make a new {kind} for the moved tensors, also where all are there already"
        new = moved is not batch and move(kata, batch, torch.device("cpu")) is not batch
        expect.that(new, headline, seen="the same", expected="a new one", likely=likely)

    def test_gradients_find_their_way_back(self, kata):
        weight = torch.ones(3, requires_grad=True)
        moved = move(kata, [weight * 2], META)[0]
        expect.that(
            moved.requires_grad and moved.grad_fn is not None,
            "A tensor that was computed from others is cut off from them.",
            seen=f"requires_grad={moved.requires_grad}, grad_fn={moved.grad_fn}",
            expected="requires_grad=True, and a grad_fn",
            likely=(
                "detach(), .data or torch.tensor(...) cut the tensor off from where it came from:"
                " to(device) does not"
            ),
        )

    @pytest.mark.placement
    def test_tensors_arrive_on_each_device(self, kata, device):
        batch = torch.arange(6.0).reshape(2, 3), torch.arange(2)
        for name, entry in entries(move(kata, batch, device), batch):
            arrived(name, entry, batch, device)
            kept(name, entry, batch[name])

    @pytest.mark.placement
    @pytest.mark.parametrize("kind", BATCHES)
    def test_tensors_come_back_to_the_cpu(self, kata, device, kind):
        features = torch.arange(6.0, device=device).reshape(2, 3)
        labels = torch.arange(2, device=device)
        batch = BATCHES[kind](features, labels)
        for name, entry in entries(move(kata, batch, torch.device("cpu")), batch):
            arrived(name, entry, batch, torch.device("cpu"))
            kept(name, entry, batch[name])
        for entry in (features, labels):
            expect.on_device(
                entry, device, "A tensor of the batch that was given", placement.DATA_MOVED
            )

    @pytest.mark.placement
    @pytest.mark.parametrize("kind", BATCHES)
    def test_the_number_of_a_device_counts(self, kata, kind):
        batch = BATCHES[kind](torch.ones(4, 2), torch.arange(4))
        for on_first in ((), held(batch)):  # from the CPU, and from another GPU
            with placement.Pretended(placement.SECOND_GPU, on_first=on_first) as there:
                move(kata, batch, placement.SECOND_GPU)
            there.check("The tensors")


def pretend(monkeypatch, kata, there: set[str]) -> None:
    """As if these devices and the CPU were there and no others, whichever way the kata asks."""
    best = next((torch.device(kind) for kind in ("cuda", "mps") if kind in there), None)
    answers = {
        (torch.cuda, "is_available"): "cuda" in there,
        (torch.cuda, "device_count"): int("cuda" in there),
        (torch.cuda, "current_device"): 0,
        (torch.backends.mps, "is_available"): "mps" in there,
        (torch.mps, "is_available"): "mps" in there,
        (torch.mps, "device_count"): int("mps" in there),
        (torch.accelerator, "is_available"): best is not None,
        (torch.accelerator, "device_count"): int(best is not None),
    }
    for (module, name), answer in answers.items():
        asked, imported = getattr(module, name, None), vars(kata._module)
        for place, function in [
            (module, name),
            *((kata._module, function) for function in imported if imported[function] is asked),
        ]:
            monkeypatch.setattr(place, function, lambda answer=answer: answer, raising=False)
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available=False: best
    )


def move(kata, batch, device):
    """The moved batch, once it is sure that it is of the same kind and has as many entries."""
    absent = [kind for kind in ("cuda", "mps") if devices.why_absent(kind)]
    try:
        moved = kata.move_batch(batch, device)
    except (AssertionError, RuntimeError) as error:
        if named := [kind for kind in absent if kind != device.type and kind in str(error).lower()]:
            expect.unmet(
                f"Asked for {device}, the tensors go to {named[0]}.",
                seen=error,
                expected=device,
                likely=WRITTEN_IN,
            )
        check_way(error)
        raise
    except (TypeError, ValueError) as error:
        check_way(error)
        if isinstance(batch, dict):
            headline, expected = "No dict can be made of what was moved.", "a dict, as the batch is"
            likely = (
                "a dict is made of names and entries: {name: ... for name, ... in batch.items()}"
            )
            expect.unmet(headline, seen=error, expected=expected, likely=likely)
        raise
    except AttributeError as error:
        is_batch = str(error).startswith(f"'{type(batch).__name__}' object has no attribute 'to'")
        if is_batch and not any(isinstance(entry, type(batch)) for entry in held(batch)):
            headline, expected = "The batch is treated as a tensor.", "to() for its tensors"
            likely = f"a {type(batch).__name__} has no to(): go through its entries"
            expect.unmet(headline, seen=error, expected=expected, likely=expect.told(likely))
        if "no attribute 'to'" in str(error):
            headline = "Something that is not a tensor was treated as one."
            expected = "to() for tensors only"
            expect.unmet(headline, seen=error, expected=expected, likely=ONLY_TENSORS)
        raise
    likely = (
        "`return` is missing"
        if moved is None
        else f"type(batch) is {type(batch).__name__}: build one of the same type"
    )
    headline = "What comes back is not of the same type as the batch."
    same = type(moved) is type(batch)
    expect.that(
        same, headline, seen=type(moved).__name__, expected=type(batch).__name__, likely=likely
    )
    likely = (
        "a number of entries is written into the code, or only tensors were passed on: go through"
        " all entries"
    )
    if len(moved) == 1:
        likely = "`return` stands inside the loop, or only one entry is moved: go through all"
    if len(moved) > len(batch):
        likely = "entries of an earlier call are among them: make the new batch in every call"
    expect.that(
        len(moved) == len(batch),
        "What comes back does not have all the entries.",
        seen=f"{len(moved)} entries",
        expected=f"{len(batch)} entries",
        likely=likely,
    )
    return moved


def kept(name, entry, given):
    """On its new device an entry has the numbers and the dtype that it had."""
    what = f"Entry {name} of the moved batch"
    expect.dtype(entry, given.dtype, what)
    expect.close(entry, given, what)


def check_way(error):
    """A tensor does not go through NumPy on its way."""
    is_numpy = "numpy" in str(error).lower()
    headline, expected = "A tensor is moved by way of NumPy.", "a move by to(device)"
    expect.that(not is_numpy, headline, seen=error, expected=expected, likely=BY_NUMPY)


def arrived(name, entry, batch, device, others=()):
    """An entry is a tensor on the device; `others` are those of the same batch."""
    here = expect.lies_on(expect.tensor(entry, f"Entry {name} of the moved batch").device, device)
    likely = UNUSED if any(entry is given for _, given in entries(batch, batch)) else WRITTEN_IN
    if any(isinstance(one, torch.Tensor) and expect.lies_on(one.device, device) for one in others):
        likely = PARTLY
    expect.that(
        here,
        f"Entry {name} of the batch has not arrived.",
        seen=entry.device,
        expected=device,
        likely=likely,
    )


def held(batch):
    """The entries of a batch."""
    return list(batch.values()) if isinstance(batch, dict) else list(batch)


def entries(moved, batch):
    """Name (or number) and entry, for each of the batch."""
    names = list(batch) if isinstance(batch, dict) else range(len(batch))
    if isinstance(batch, dict):
        expect.that(
            list(moved) == names,
            "The names have changed.",
            seen=list(moved),
            expected=names,
            likely="the names are the keys of the dict: go through batch.items()",
        )
    return [(name, moved[name]) for name in names]
