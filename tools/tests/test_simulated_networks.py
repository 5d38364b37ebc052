"""The simulated device: networks and their training give what they give on the CPU."""

import copy
import gc
import io

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from dojo.simulated import backend

if reason := backend.available():
    pytest.skip(reason, allow_module_level=True)

OPTIMIZERS = {
    "SGD": lambda p, **more: torch.optim.SGD(p, lr=0.1, **more),
    "momentum": lambda p, **more: torch.optim.SGD(
        p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, **more
    ),
    "Adam": lambda p, **more: torch.optim.Adam(p, lr=0.05, **more),
    "amsgrad": lambda p, **more: torch.optim.Adam(
        p, lr=0.05, amsgrad=True, weight_decay=0.01, **more
    ),
    "AdamW": lambda p, **more: torch.optim.AdamW(p, lr=0.05, **more),
    "RMSprop": lambda p, **more: torch.optim.RMSprop(
        p, lr=0.01, momentum=0.5, centered=True, **more
    ),
    "Adagrad": lambda p, **more: torch.optim.Adagrad(p, lr=0.1, **more),
    "Adadelta": lambda p, **more: torch.optim.Adadelta(p, **more),
    "Adamax": lambda p, **more: torch.optim.Adamax(p, lr=0.01, **more),
    "NAdam": lambda p, **more: torch.optim.NAdam(p, lr=0.01, **more),
    "RAdam": lambda p, **more: torch.optim.RAdam(p, lr=0.01, **more),
    "Rprop": lambda p, **more: torch.optim.Rprop(p, lr=0.01, **more),
}
ACTIVATIONS = (
    "ReLU Sigmoid Tanh LeakyReLU ELU CELU SELU GELU SiLU Mish Softplus Softsign Hardtanh ReLU6"
    " Hardswish Hardsigmoid LogSigmoid PReLU Tanhshrink Softshrink Hardshrink Identity GLU"
)
CLASSES = torch.tensor([2, 0, 3, 1, 0])
EVEN = torch.linspace(-1, 1, 20).reshape(5, 4)
LABELS = torch.arange(20.0).reshape(5, 4) % 2
LOSSES = {
    "MSELoss": (nn.MSELoss, EVEN),
    "L1Loss": (nn.L1Loss, EVEN),
    "SmoothL1Loss": (nn.SmoothL1Loss, EVEN),
    "HuberLoss": (nn.HuberLoss, EVEN),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, LABELS),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, CLASSES),
    "CrossEntropyLoss, smoothed": (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), CLASSES),
    "CrossEntropyLoss, shares": (nn.CrossEntropyLoss, torch.full((5, 4), 0.25)),
    "SoftMarginLoss": (nn.SoftMarginLoss, LABELS * 2 - 1),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, LABELS * 2 - 1),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), torch.full((5, 4), 0.25)),
    "PoissonNLLLoss": (nn.PoissonNLLLoss, torch.arange(20.0).reshape(5, 4)),
}


@pytest.fixture(scope="module", autouse=True)
def enabled():
    backend.enable()


def on(device: str, *values):
    """Copies of tensors and modules on a device."""
    moved = [copy.deepcopy(value).to(device) for value in values]
    return moved if len(moved) > 1 else moved[0]


def features() -> torch.Tensor:
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 4)
    )


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    assert one.device.type == "simulated" and other.device.type == "cpu"
    return torch.allclose(one.detach().cpu(), other.detach(), rtol=1e-5, atol=1e-6)


class TestNetworks:
    @pytest.mark.parametrize("name", ACTIVATIONS.split())
    def test_activation(self, name):
        outputs = []
        for device in ("simulated", "cpu"):
            layer, x = on(device, getattr(nn, name)(), features())
            x.requires_grad_()
            outputs.append((result := layer(x), torch.autograd.grad(result.square().sum(), x)[0]))
        assert all(close(one, other) for one, other in zip(*outputs, strict=True))

    @pytest.mark.parametrize("name", LOSSES)
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_loss(self, name, reduction):
        make, targets = LOSSES[name]
        results = []
        for device in ("simulated", "cpu"):
            x, y = on(device, features(), targets)
            criterion = make()
            criterion.reduction = reduction if name != "KLDivLoss" else "batchmean"
            loss = criterion(x.requires_grad_(), y)
            results.append((loss, torch.autograd.grad(loss.sum(), x)[0]))
        assert all(close(one, other) for one, other in zip(*results, strict=True))

    @pytest.mark.parametrize("name", ["BCELoss", "NLLLoss"])
    def test_loss_of_probabilities(self, name):
        results = []
        for device in ("simulated", "cpu"):
            x, classes = on(device, features().requires_grad_(), CLASSES)
            is_binary = name == "BCELoss"
            loss = (
                F.binary_cross_entropy(x.sigmoid(), (x > 0).float())
                if is_binary
                else F.nll_loss(x.log_softmax(1), classes)
            )
            results.append((loss, torch.autograd.grad(loss, x)[0]))
        assert all(close(one, other) for one, other in zip(*results, strict=True))

    @pytest.mark.parametrize(
        "layer", [nn.BatchNorm1d(4), nn.LayerNorm(4), nn.Embedding(4, 3), nn.GroupNorm(2, 4)]
    )
    @pytest.mark.parametrize("training", [True, False])
    def test_layer(self, layer, training):
        results = []
        for device in ("simulated", "cpu"):
            module, x = on(
                device,
                layer.train(training),
                CLASSES if isinstance(layer, nn.Embedding) else features(),
            )
            output = module(x)
            output.square().sum().backward()
            results.append([output, *(p.grad for p in module.parameters()), *module.buffers()])
        assert all(close(one, other) for one, other in zip(*results, strict=True))

    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("foreach", [True, False], ids=["foreach", "one by one"])
    def test_training_reaches_what_it_reaches_on_the_cpu(self, name, foreach):
        models = []
        for device in ("simulated", "cpu"):
            # there it is what torch chooses
            more = {} if foreach and device == "simulated" else {"foreach": foreach}
            model, x, classes = on(device, network(), features(), CLASSES)
            optimizer = OPTIMIZERS[name](model.parameters(), **more)
            model[3].p = 0.0  # what is left out is another matter: a device may draw in its own way
            for _ in range(4):
                optimizer.zero_grad()
                F.cross_entropy(model(x), classes).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            models.append(model)
        pairs = zip(*(model.state_dict().values() for model in models), strict=True)
        assert all(torch.allclose(one.cpu(), other, rtol=1e-6, atol=1e-7) for one, other in pairs)

    def test_a_scheduler_and_zero_grad_without_none(self):
        model = on("simulated", nn.Linear(4, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        model(features().to("simulated")).sum().backward()
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=False)
        assert not model.weight.grad.any()

    def test_state_dicts_copies_and_files(self):
        model = on("simulated", network())
        twin = copy.deepcopy(model)
        assert all(tensor.device.type == "simulated" for tensor in twin.state_dict().values())
        with torch.no_grad():
            for tensor in twin.state_dict().values():
                tensor.zero_()
        assert model[0].weight.any()
        twin.load_state_dict(model.state_dict())
        assert torch.equal(twin[0].weight, model[0].weight)
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        file.seek(0)
        loaded = torch.load(file, map_location="cpu")
        assert torch.equal(loaded["0.weight"], model[0].weight.cpu())
        file.seek(0)
        there = torch.load(file)["0.weight"]
        assert there.device.type == "simulated" and torch.equal(there, model[0].weight)
        on("cpu", network()).load_state_dict(model.state_dict())
        twin.load_state_dict(loaded)
        assert on("cpu", twin)[0].weight.device.type == "cpu"

    def test_tied_memory_stays_tied_in_a_deep_copy(self):
        x = torch.zeros(3, device="simulated")
        one, other = copy.deepcopy((x, x[1:]))
        one.add_(1)
        assert other.tolist() == [1, 1]

    def test_hooks_functional_call_and_data_loaders(self):
        model, data, seen = on("simulated", nn.Linear(4, 2)), features().to("simulated"), []
        model.register_forward_hook(lambda module, inputs, output: seen.append(output.device.type))
        model.weight.register_hook(lambda gradient: seen.append(gradient.device.type))
        for (batch,) in DataLoader(TensorDataset(data), batch_size=2, shuffle=True):
            model(batch).sum().backward()
        assert seen == ["simulated"] * 6
        parameters = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
        assert not torch.func.functional_call(model, parameters, (data,)).any()

    def test_training_keeps_nothing_alive(self):
        model, data = on("simulated", network(), features())
        optimizer = torch.optim.Adam(model.parameters())

        def step() -> int:
            optimizer.zero_grad()
            model(data).square().mean().backward()
            optimizer.step()
            gc.collect()
            return sum(type(thing) is torch.UntypedStorage for thing in gc.get_objects())

        assert step() and step() == step()
