"""The simulated device: its tensors behave as on a GPU."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from dojo.simulated import backend

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

SENTENCE = (
    "Expected all tensors to be on the same device, but found at least two devices, simulated:0 and"
    " cpu!"
)


@pytest.fixture(scope="module", autouse=True)
def enabled():
    backend.enable()


class TestMixing:
    @pytest.mark.parametrize(
        "mix",
        [
            lambda x, y: x + y,
            lambda x, y: y + x,
            lambda x, y: x @ y.T,
            lambda x, y: F.linear(y, x),
            lambda x, y: torch.cat([x, y]),
            lambda x, y: torch.stack([y, x]),
            lambda x, y: torch.where(x > 0, x, y),
            lambda x, y: F.mse_loss(x, y),
            lambda x, y: F.cross_entropy(x, torch.tensor([0, 1, 2])),
            lambda x, y: x.add_(y),
            lambda x, y: y.add_(x),
            lambda x, y: y.add_(x[0, 0]),
            lambda x, y: torch.zeros(()).add_(x[0, 0]),
            lambda x, y: x.masked_fill_(y > 0, 0),
            lambda x, y: x == y,
            lambda x, y: x.gather(0, torch.zeros(1, 4, dtype=torch.int64)),
            lambda x, y: torch.dot(x[0], torch.tensor(2.0).expand(4)),
        ],
    )
    def test_is_refused_in_torchs_own_words(self, mix):
        with pytest.raises(RuntimeError) as raised:
            mix(torch.randn(3, 4, device="simulated"), torch.randn(3, 4))
        assert str(raised.value) == SENTENCE

    def test_a_single_number_may_come_from_the_cpu(self):
        x, two = torch.ones(3, device="simulated"), torch.tensor(2.0, requires_grad=True)
        result = two * x + two
        result.sum().backward()
        assert result.device.type == "simulated" and result.tolist() == [4.0] * 3
        assert two.grad == 6 and two.grad.device.type == "cpu"
        assert torch.where(x > 0, x, torch.tensor(0.0)).tolist() == [1.0] * 3

    def test_numbers_keep_their_weight_in_the_dtype(self):
        x = torch.ones(3, dtype=torch.float16, device="simulated")
        assert (x * 2.5).dtype == torch.float16
        assert (x.long() * 2.5).dtype == torch.float32
        assert (x * torch.tensor(2.5, dtype=torch.float64)).dtype == torch.float16
        assert (x * torch.ones(3, dtype=torch.float64, device="simulated")).dtype == torch.float64

    def test_indices_may_come_from_the_cpu(self):
        x = torch.arange(6.0, device="simulated").reshape(2, 3)
        assert x[torch.tensor([1])].tolist() == [[3, 4, 5]]
        assert x[torch.tensor([True, False])].tolist() == [[0, 1, 2]]
        x[torch.tensor([0])] = torch.tensor(9.0)
        assert x[0].tolist() == [9, 9, 9]
        with pytest.raises(RuntimeError):
            torch.arange(6.0)[torch.tensor([1], device="simulated")]

    def test_a_generator_of_the_cpu_is_refused(self):
        with pytest.raises(
            RuntimeError, match="Expected a 'simulated' device type for generator but found 'cpu'"
        ):
            torch.randn(3, device="simulated", generator=torch.Generator())

    def test_numpy_wants_it_on_the_cpu(self):
        x = torch.ones(2, device="simulated")
        for attempt in (x.numpy, lambda: np.asarray(x)):
            with pytest.raises(
                TypeError, match="can't convert simulated:0 device type tensor to numpy"
            ):
                attempt()
        assert x.cpu().numpy().tolist() == [1, 1]


class TestTensors:
    def test_what_is_read_from_one(self):
        x = torch.tensor([[1.5, -2.0]], device="simulated")
        assert (x[0, 0].item(), float(x[0, 1]), int(x[0, 1]), bool(x[0, 0] > 1)) == (
            1.5,
            -2.0,
            -2,
            True,
        )
        assert (
            x.tolist() == [[1.5, -2.0]]
            and len(x) == 1
            and [row.tolist() for row in x] == [[1.5, -2.0]]
        )
        assert f"{x[0, 0]:.2f}" == "1.50"
        assert repr(x) == "tensor([[ 1.5000, -2.0000]], device='simulated:0')"
        assert "grad_fn=<MulBackward0>" in repr(x.requires_grad_() * 2)
        assert "device='simulated:0'" in repr(torch.zeros(0, device="simulated"))

    def test_is_printed_where_there_is_no_float64(self):
        x = torch.tensor([[1.5, -2.0]], device="simulated")
        with backend.without_float64():
            assert repr(x) == "tensor([[ 1.5000, -2.0000]], device='simulated:0')"
            assert f"{x.mean()}" == "-0.25"
            with pytest.raises(TypeError, match="doesn't support float64"):
                x.double()

    def test_ways_to_make_one(self):
        like = torch.zeros(2, device="simulated")
        made = [
            torch.tensor([1], device="simulated"),
            torch.zeros_like(like),
            like.new_ones(3),
            torch.eye(2, device="simulated"),
        ]
        made += [
            torch.from_numpy(np.ones(2)).to("simulated"),
            torch.rand(2, device=like.device),
            torch.randn_like(like),
        ]
        made += [
            torch.arange(3, device="simulated:0"),
            torch.as_tensor([1.0], device="simulated"),
            like.clone(),
            like.double(),
        ]
        made += [
            torch.randperm(4, device="simulated"),
            torch.linspace(0, 1, 3, device="simulated"),
            torch.ones(2).to(like),
        ]
        assert {tensor.device for tensor in made} == {torch.device("simulated:0")}
        with torch.device("simulated"):
            assert nn.Linear(2, 2)(torch.ones(1, 2)).device.type == "simulated"
        assert torch.zeros_like(like, device="cpu").device.type == "cpu"
        assert like.to("meta").device.type == "meta"
        assert like.to("simulated") is like

    @pytest.mark.parametrize(
        "view",
        [
            lambda x: x[1:, ::2],
            lambda x: x.t()[0],
            lambda x: x.view(6, 2)[3],
            lambda x: x.reshape(-1)[4:8],
            lambda x: x.detach()[1],
            lambda x: x.data.unsqueeze(0)[0, 1],
            lambda x: nn.Parameter(x)[1].detach(),
            lambda x: x.unbind(1)[2],
            lambda x: x.chunk(2, dim=1)[1],
            lambda x: x.expand(2, 3, 4)[1, 2],
            lambda x: x.diagonal(),
            lambda x: x.permute(1, 0).flatten(0, 0)[1],
            lambda x: x.squeeze().narrow(0, 1, 2),
            lambda x: x.as_strided((2, 2), (4, 1), 5),
        ],
    )
    def test_a_view_shares_its_numbers_with_its_base(self, view):
        here = torch.arange(12.0).reshape(3, 4)
        there = here.to("simulated")
        for base in (here, there):
            view(base).mul_(10)
        assert torch.equal(there.cpu(), here)
        for base in (here, there):
            kept = view(base)
            base.add_(1)
            base[1, 2] = 100
            kept.sub_(0.5)
        assert torch.equal(kept.cpu(), view(here)) and torch.equal(there.cpu(), here)
        assert (
            kept.stride() == view(here).stride()
            and kept.storage_offset() == view(here).storage_offset()
        )

    def test_a_copy_shares_nothing(self):
        x = torch.zeros(2, 3, device="simulated")
        for other in (
            x.clone(),
            x.cpu(),
            copy.deepcopy(x),
            x.t().contiguous(),
            x.reshape(3, 2).t().reshape(-1),
            x.double(),
        ):
            other.fill_(1)
        assert not x.any()

    def test_in_place_changes_are_noticed_by_autograd(self):
        x = torch.ones(2, device="simulated", requires_grad=True)
        y = x * 2
        z = y * y
        y += 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.sum().backward()
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            x.add_(1)

    def test_gradients_flow_between_the_devices(self):
        here = torch.tensor([1.0, 2.0], requires_grad=True)
        (here.to("simulated") ** 2).sum().cpu().backward()
        assert here.grad.tolist() == [2, 4]
        x = torch.ones(2, 2, device="simulated", requires_grad=True)
        y = x * 1
        y[0] = 5
        y[:, 1].mul_(3)
        y.sum().backward()
        assert x.grad.tolist() == [[0, 0], [1, 3]]
        assert torch.autograd.gradgradcheck(
            lambda v: (v**3).sum(), torch.ones(2, dtype=torch.float64, device="simulated") * x[0]
        )

    def test_the_same_seed_gives_the_same_numbers(self):
        drawn = []
        for _ in range(2):
            torch.manual_seed(3)
            drawn.append(
                [
                    torch.randn(3, device="simulated"),
                    F.dropout(torch.ones(8, device="simulated"), 0.5),
                ]
            )
        assert all(torch.equal(one, other) for one, other in zip(*drawn, strict=True))

    def test_the_numbers_go_when_the_last_tensor_goes(self):
        x = torch.zeros(10, device="simulated")
        numbers = weakref.ref(x.untyped_storage().data)
        view, alias = x[2:], x.detach()
        del x, view
        gc.collect()
        assert numbers() is not None and alias.sum() == 0
        del alias
        gc.collect()
        assert numbers() is None


class TestCpu:
    """What the device leaves alone."""

    def test_code_that_asks_for_an_accelerator_finds_none(self):
        assert not torch.accelerator.is_available()
        assert torch.accelerator.current_accelerator() is None
        assert torch.accelerator.device_count() == 0
        assert torch.get_default_device() == torch.device("cpu")

    def test_pinned_memory_is_left_out_as_without_a_gpu(self):
        loader = DataLoader(TensorDataset(torch.zeros(4, 2)), batch_size=2, pin_memory=True)
        with pytest.warns(UserWarning, match="no accelerator is found"):
            assert sum(len(batch) for (batch,) in loader) == 4

    def test_random_numbers_of_the_cpu_are_the_same(self):
        torch.manual_seed(0)
        assert torch.rand(1).item() == pytest.approx(0.4962566, abs=1e-6)
