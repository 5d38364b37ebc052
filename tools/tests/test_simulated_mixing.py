"""The simulated device, asked what PyTorch asks of its own test backend, OpenReg: tensors made,
moved, mixed, viewed, kept and trained on a device that is not built in. The kinds of cases are
OpenReg's, the tests our own; where the simulation stops short, it says so.
"""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dojo.simulated import NAME, Unsupported, backend, limit

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

ALONE = pytest.raises(RuntimeError, match="to be on the same device")
MADE = {
    "empty": lambda **to: torch.empty(3, **to).fill_(2.0),
    "empty from nothing": lambda **to: torch.tensor((), **to),
    "zeros": lambda **to: torch.zeros(2, 3, **to),
    "ones": lambda **to: torch.ones(2, 3, **to),
    "full": lambda **to: torch.full((2, 3), 5.0, **to),
    "a list": lambda **to: torch.tensor([[1, 2], [3, 4]], **to),
    "NumPy's": lambda **to: torch.as_tensor(np.arange(3), **to),
    "in columns": lambda **to: torch.empty_strided((3, 4), (1, 3), **to).zero_(),
    "a range": lambda **to: torch.arange(0, 1, 0.25, **to),
    "a triangle's places": lambda **to: torch.triu_indices(3, 3, **to),
}


@pytest.fixture(scope="module", autouse=True)
def enabled():
    backend.enable()


def there(*numbers):
    return torch.tensor(numbers, device=NAME)


def same(one, other):
    assert one.cpu().tolist() == other.cpu().tolist()
    assert (one.dtype, one.shape, one.stride()) == (other.dtype, other.shape, other.stride())


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("where", [NAME, f"{NAME}:0", "a torch.device"])
def test_is_made_there_whichever_way_the_device_is_named(kind, where):
    device = torch.device(NAME) if where == "a torch.device" else where
    made = MADE[kind](device=device)
    assert made.device == torch.device(NAME, 0) and not made.is_cpu
    same(made, MADE[kind](device="cpu"))


def test_is_made_there_by_a_default_device():
    with torch.device(NAME):
        made = torch.ones(2), nn.Linear(2, 1).weight, torch.ones(1, device="cpu")
    assert [tensor.device.type for tensor in made] == [NAME, NAME, "cpu"]


def test_goes_there_and_back_in_each_spelling():
    x = torch.arange(6.0).reshape(2, 3)
    spelled = [x.to(NAME), x.to(torch.device(NAME)), x.to(there(1.0)), x.to(device=NAME)]
    spelled += [x.to(f"{NAME}:0", non_blocking=True), x.to(NAME, copy=True)]
    for moved in spelled:
        assert moved.device.type == NAME
        same((moved + 2).to("cpu"), x + 2)
    assert spelled[0].to(NAME) is spelled[0]
    same(x.t().to(NAME), x.t())  # the order in memory comes along


def test_another_one_of_the_kind_is_not_there():
    for call in (torch.ones(1).to, lambda there: torch.ones(1, device=there)):
        with pytest.raises(RuntimeError, match="there is only simulated:0"):
            call(f"{NAME}:1")


@pytest.mark.parametrize("ways", [("cpu", NAME), (NAME, "cpu"), (NAME, NAME)])
def test_copy_crosses_devices_and_dtypes(ways):
    here, target = (torch.ones(2, 3, device=way) for way in ways)
    whole = torch.zeros(2, 3, dtype=torch.int32, device=ways[1])
    assert target.zero_().copy_(here, non_blocking=True) is target
    same(target, torch.ones(2, 3))
    same(whole.copy_(here), torch.ones(2, 3, dtype=torch.int32))
    target[:, 1] = here[:, 0] * 3  # into a part
    assert target.cpu()[:, 1].tolist() == [3.0, 3.0]


def test_a_clone_has_memory_of_its_own_and_a_view_has_not():
    x = torch.arange(6.0, device=NAME).reshape(2, 3)
    for view in (x.view(3, 2), x.reshape(6), x.t(), x[1], x[:, ::2], x.as_strided((2, 2), (3, 1))):
        assert view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    x.view(3, 2)[0, 1] = 9.0
    assert x[0, 1].item() == 9.0
    assert x.clone().data_ptr() != x.data_ptr()
    wide = there(1, 2, 3).unsqueeze(1).expand(3, 2)
    same(wide, torch.tensor([1, 2, 3]).unsqueeze(1).expand(3, 2))


def test_a_tensor_can_be_set_to_anothers_memory():
    x = torch.arange(4.0, device=NAME)
    y = torch.empty(2, device=NAME)
    y.set_(x.untyped_storage(), 1, (2,), (1,))
    x[2] = 7.0
    assert y.tolist() == [1.0, 7.0]


MIXED = {
    "a sum": lambda x, y: x + y,
    "the other way round": lambda x, y: y + x,
    "in place": lambda x, y: x.mul_(y),
    "into the CPU": lambda x, y: y.mul_(x),
    "a product": lambda x, y: x @ y.t(),
    "a comparison": lambda x, y: x == y,
    "where": lambda x, y: torch.where(x > 0, x, y),
    "a list": lambda x, y: torch.cat([x, y]),
    "a stack": lambda x, y: torch.stack([y, x]),
    "several at once": lambda x, y: torch._foreach_add([x, x], [x, y]),
    "a loss": lambda x, y: nn.functional.mse_loss(x, y),
    "classes": lambda x, y: nn.functional.cross_entropy(x, torch.tensor([0, 1])),
    "a mask": lambda x, y: x.masked_fill(y > 0, 0.0),
    "picked out": lambda x, y: torch.masked_select(x, y > 0),
    "gathered": lambda x, y: x.gather(1, torch.zeros(2, 1, dtype=torch.int64)),
    "rows by number": lambda x, y: x.index_select(0, torch.tensor([1])),
    "an embedding": lambda x, y: nn.functional.embedding(torch.tensor([1]), x),
    "a layer": lambda x, y: nn.Linear(2, 1).to(NAME)(y),
    "its input": lambda x, y: nn.Linear(2, 1)(x),
    "a result": lambda x, y: torch.maximum(x, x, out=y),
    "a linear step": lambda x, y: torch.addmm(x, x, y),
    "a norm": lambda x, y: nn.BatchNorm1d(2)(x),
}


@pytest.mark.parametrize("way", MIXED)
def test_two_devices_are_not_mixed(way):
    with ALONE:
        MIXED[way](torch.eye(2, device=NAME), torch.eye(2))


def test_what_cuda_takes_from_the_cpu_is_taken():
    x, half = torch.arange(4.0, device=NAME), torch.tensor(0.5)
    for result in (x + half, half * x, x / 2, 2**x, torch.where(x > 1, x, half)):
        assert result.device.type == NAME
    same(x[torch.tensor([3, 1])], torch.tensor([3.0, 1.0]))
    same(x[torch.tensor([True, False, True, False])], torch.tensor([0.0, 2.0]))
    same(x[there(1, 1)], torch.tensor([1.0, 1.0]))
    x[torch.tensor([0])] = half
    assert x[0].item() == 0.5
    with ALONE:
        x + torch.tensor([0.5])  # one number, with a dimension


def test_the_cpu_is_not_indexed_from_there():
    with pytest.raises(RuntimeError):
        torch.arange(4.0)[there(1, 1)]


def test_numpy_and_numbers():
    x = there(1.0, 2.0)
    with pytest.raises(TypeError, match="can't convert simulated:0 device type tensor to numpy"):
        x.numpy()
    with pytest.raises(TypeError):
        np.asarray(x)
    assert (x[1].item(), float(x[0]), x.tolist(), bool(x[0] > 0)) == (2.0, 1.0, [1.0, 2.0], True)
    assert np.asarray(x.cpu()).tolist() == [1.0, 2.0]


def test_printing_says_where():
    assert repr(there(1.0, 2.0)) == "tensor([1., 2.], device='simulated:0')"
    assert "requires_grad=True" in repr(there(1.0).requires_grad_())


@pytest.mark.parametrize("turned", [False, True])
def test_contiguous_or_not(turned):
    x = torch.tensor([[-1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])
    x = x.t() if turned else x
    same(x.to(NAME).abs(), x.abs())
    same(torch.maximum(x.to(NAME), -x.to(NAME)), torch.maximum(x, -x))


def test_gradients_flow_across_devices():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    moved = x.to(NAME)
    (moved.square().sum().cpu() * 3).backward()
    assert x.grad.device.type == "cpu" and x.grad.tolist() == [6.0, -12.0]
    leaf = there(1.0, 2.0).requires_grad_()
    torch.cat([leaf, leaf * 2]).sum().backward()
    assert leaf.grad.device.type == NAME and leaf.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match=r"on device|same device|expected device"):
        leaf.grad = torch.zeros(2)


def test_a_function_of_ones_own_gets_and_gives_gradients_there():
    class Half(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            assert gradient.device.type == NAME
            return gradient * 0.5

    x = there(1.0, 2.0).requires_grad_()
    Half.apply(x).sum().backward()
    assert x.grad.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_a_model_trains_as_on_the_cpu(kind):
    torch.manual_seed(3)
    model, x, y = nn.Linear(3, 2), torch.randn(8, 3), torch.randn(8, 2)
    ends = []
    for device in ("cpu", NAME):
        moved = copy.deepcopy(model).to(device)
        optimizer = kind(moved.parameters(), lr=0.1)
        for features, targets in DataLoader(TensorDataset(x, y), batch_size=4):
            optimizer.zero_grad()
            nn.functional.mse_loss(moved(features.to(device)), targets.to(device)).backward()
            optimizer.step()
        assert moved.weight.device.type == device
        ends.append(moved.cpu().weight.tolist())
    assert ends[0] == ends[1]


def test_the_seed_decides_on_random_numbers():
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(torch.randn(3, device=NAME).tolist() + torch.rand(2, device=NAME).tolist())
    assert drawn[0] == drawn[1]


def test_a_state_dict_is_saved_and_comes_back_by_way_of_the_cpu():
    model, file = nn.Linear(2, 1).to(NAME), io.BytesIO()
    torch.save({name: value.cpu() for name, value in model.state_dict().items()}, file)
    file.seek(0)
    other = nn.Linear(2, 1).to(NAME)
    other.load_state_dict(torch.load(file, map_location="cpu"))
    assert other.weight.device.type == NAME and other.weight.tolist() == model.weight.tolist()


def test_a_copy_is_deep():
    x = there(1.0, 2.0)
    twin = copy.deepcopy(x)
    twin += 1
    assert (twin.device.type, x.tolist(), twin.tolist()) == (NAME, [1.0, 2.0], [2.0, 3.0])


def test_torch_knows_its_name_and_code_that_looks_for_a_gpu_finds_none():
    assert torch.simulated.is_available() and torch.simulated.device_count() == 1
    found = torch.accelerator.current_accelerator()
    assert found is None or found.type != NAME
    assert there(1).device.type == NAME and torch.device(NAME).index is None


BEYOND = {
    "a size changed in place": lambda x: x.resize_(1, 3),
    "complex numbers": lambda x: torch.complex(x, x),
    "quantized numbers": lambda x: torch.quantize_per_tensor(x, 0.1, 10, torch.qint8),
    "a convolution": lambda x: nn.functional.conv1d(x.reshape(1, 1, 3), x.reshape(1, 1, 3)),
    "attention": lambda x: nn.functional.scaled_dot_product_attention(
        x.reshape(1, 1, 3), x.reshape(1, 1, 3), x.reshape(1, 1, 3)
    ),
    "pinned memory": lambda x: torch.empty(2, device=NAME, pin_memory=True),
    "a generator": lambda x: torch.Generator(device=NAME),
    "sparse numbers": lambda x: x.to_sparse(),
    "a transform": lambda x: torch.fft.fft(x),
}


@pytest.mark.parametrize("what", BEYOND)
def test_what_lies_beyond_the_simulation_is_refused_by_name(what):
    with pytest.raises(NotImplementedError) as raised:
        BEYOND[what](there(1.0, 2.0, 3.0))
    assert "this is a limit of the simulation" in limit(raised.value)
    assert limit(RuntimeError("anything else")) is None and issubclass(Unsupported, Exception)
