"""k05: what a call of the trainer does to a model, what it says, and what it leaves alone."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests import expect, training

LEARNING_RATE = 0.1
META = torch.device("meta")


@pytest.mark.task("trainer")
class TestTrains:
    def test_returns_the_loss_of_each_epoch(self, kata):
        expect.losses(run(kata, line(), batches(), epochs=4), epochs=4, what="trainer(...)")

    def test_loss_is_the_mean_over_the_batches(self, kata):
        model = line()
        parts = [nn.MSELoss()(model(features), targets).item() for features, targets in batches()]
        causes = {
            "this is the sum over the batches: divide by len(dataloader)": sum(parts),
            "this is the loss of the last batch alone: add up the losses of all of them": parts[-1],
            "this is the loss of the first batch alone: the epoch ends after one batch": parts[0],
            "the sum over the batches is divided by something else than len(dataloader)": sum(parts) / 12,
        }
        losses = run(kata, model, batches(), epochs=1, learning_rate=0.0)  # so that the model stays as it is
        expect.close(losses[0], sum(parts) / len(parts), what="The loss of an epoch", causes=causes)

    def test_descends_batch_by_batch(self, kata):
        model = line()
        run(kata, model, batches(), epochs=2)
        causes = {
            training.PILED_UP.replace("epoch to epoch", "batch to batch"): descend(epochs=2, forget="never"),
            "optimizer.zero_grad() stands outside the loop over the batches: every batch needs it": descend(2, forget="epoch"),
            "the parameters did not move: backward() or step() is missing, or zero_grad() stands between them": descend(
                epochs=0
            ),
            "the optimizer steps once an epoch: optimizer.step() belongs to every batch": descend(
                2, forget="epoch", step="epoch"
            ),
            "only one epoch was trained": descend(epochs=1),
        }
        expect.close(weights(model), descend(epochs=2), what="The weights after two epochs", causes=causes)

    def test_goes_on_where_it_left_off(self, kata):
        at_once, in_two = line(), line()
        run(kata, at_once, batches(), epochs=4)
        optimizer = torch.optim.SGD(in_two.parameters(), lr=LEARNING_RATE)
        losses = [run(kata, in_two, batches(), epochs=2, optimizer=optimizer) for _ in range(2)]
        causes = {"each call begins anew: the trainer must not reset the model": descend(epochs=2)}
        expect.close(weights(in_two), weights(at_once), what="The weights after 2 + 2 epochs, compared with 4", causes=causes)
        expect.losses(losses[1], epochs=2, what="The second call of trainer(...)")

    def test_targets_without_a_column_are_not_stretched(self, kata):
        model, data = line(), batches(column=False)
        parts, stretched = [], []
        for features, targets in data:
            parts.append((model(features).reshape(-1) - targets).square().mean().item())
            stretched.append((model(features) - targets).square().mean().item())
        causes = {
            "outputs (n, 1) and targets (n,) were stretched to (n, n): give the outputs the targets' shape": sum(stretched) / 3,
        }
        losses = run(kata, model, data, epochs=1, learning_rate=0.0)
        expect.close(losses[0], sum(parts) / 3, what="The loss with targets of shape (n,)", causes=causes)

    def test_class_scores_keep_their_shape(self, kata):
        model = nn.Linear(2, 3)
        data = DataLoader(TensorDataset(torch.randn(8, 2), torch.arange(8) % 3), batch_size=4)
        parts = [nn.CrossEntropyLoss()(model(features), targets).item() for features, targets in data]
        losses = run(kata, model, data, epochs=1, learning_rate=0.0, criterion=nn.CrossEntropyLoss())
        expect.close(losses[0], sum(parts) / 2, what="The loss of scores (n, 3) and class numbers (n,)")


@pytest.mark.task("trainer")
class TestSays:
    def test_prints_a_line_for_each_epoch(self, kata, capsys):
        losses = run(kata, line(), batches(), epochs=2, verbose=True)
        lines = [f"epoch: {number}, loss: {loss:.4f}\n" for number, loss in enumerate(losses, start=1)]
        causes = {
            "nothing is printed": "",
            "the epochs are counted from 0": "".join(f"epoch: {n}, loss: {loss:.4f}\n" for n, loss in enumerate(losses)),
            "the loss is not rounded: {loss:.4f} gives four decimals": "".join(
                f"epoch: {n}, loss: {loss}\n" for n, loss in enumerate(losses, start=1)
            ),
        }
        expect.equal(capsys.readouterr().out, "".join(lines), what="The printed text", causes=causes)

    def test_is_verbose_unless_told_otherwise(self, kata, capsys):
        model = line()
        optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        losses = kata.trainer(model, nn.MSELoss(), optimizer, batches())
        expect.losses(losses, epochs=5, what="trainer(model, criterion, optimizer, dataloader)")
        printed = capsys.readouterr().out.count("\n")
        likely = "keep the defaults of the stub: epochs=5, verbose=True"
        expect.that(printed == 5, "Not a line for each epoch.", seen=f"{printed} lines", expected="5 lines", likely=likely)

    def test_is_silent_when_told(self, kata, capsys):
        run(kata, line(), batches(), epochs=2, verbose=False)
        printed = capsys.readouterr().out
        likely = "the print stands outside the `if verbose:`"
        expect.that(not printed, "verbose=False still prints.", seen=repr(printed[:80]), expected="nothing", likely=likely)


@pytest.mark.task("trainer")
class TestLeavesAlone:
    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model, seen = line().train(before), []
        model.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        run(kata, model, batches(), epochs=1)
        likely = "model.train() is missing before the loop, or model.eval() stands inside it"
        expect.that(all(seen) and seen, "The model is not in training mode.", seen=seen, expected=[True] * 3, likely=likely)
        name = "training" if before else "evaluation"
        headline = f"A model that came in {name} mode is left in another one."
        likely = "keep model.training at the start, and give it back at the end: model.train(mode)"
        expect.that(model.training == before, headline, seen=f"training={model.training}", expected=before, likely=likely)

    def test_leaves_the_data_as_it_was(self, kata):
        features, targets = torch.randn(8, 2), torch.randn(8, 1)
        with expect.untouched("The data", features, targets):
            run(kata, line(), DataLoader(TensorDataset(features, targets), batch_size=4), epochs=1)

    def test_moves_each_batch_to_the_device_of_the_model(self, kata):
        # The meta device holds shapes without numbers: every machine has this one besides the CPU.
        model = line().to("meta")
        model.register_forward_pre_hook(lambda module, inputs: expect.on_device(*inputs, META, what="The model's input"))
        run(kata, model, batches(), epochs=1, criterion=OnlyLooks())

    @pytest.mark.placement
    def test_takes_batches_from_the_cpu_to_the_model(self, kata, device):
        model = line().to(device)
        run(kata, model, batches(), epochs=2)
        expect.on_device(model.weight, device, what="The model after training")
        expect.close(weights(model), descend(epochs=2), what=f"The weights after two epochs on {device}", atol=1e-4)


class OnlyLooks(nn.Module):
    """A criterion that asks where its inputs are, and gives a loss that depends on nothing."""

    def forward(self, outputs, targets):
        expect.on_device(outputs, META, what="The output that the criterion gets")
        expect.on_device(targets, META, what="The target that the criterion gets")
        return torch.zeros((), requires_grad=True)


def line() -> nn.Linear:
    """A model with two weights and a bias, always the same."""
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    return model


def batches(column: bool = True) -> DataLoader:
    """Twelve examples in three batches of four, always the same; targets (n, 1), or (n,) without column."""
    features = torch.linspace(-1.5, 2.0, 24).reshape(12, 2).sin()
    targets = features @ torch.tensor([[2.0], [1.0]]) - 0.5
    return DataLoader(TensorDataset(features, targets if column else targets.reshape(-1)), batch_size=4)


def run(kata, model, data, *, epochs, learning_rate=LEARNING_RATE, criterion=None, optimizer=None, verbose=False):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=learning_rate)
    return kata.trainer(model, criterion or nn.MSELoss(), optimizer, data, epochs=epochs, verbose=verbose)


def weights(model: nn.Linear) -> torch.Tensor:
    return torch.cat([model.weight.detach().flatten().cpu(), model.bias.detach().cpu()])


def descend(epochs: int, forget: str = "batch", step: str = "batch") -> torch.Tensor:
    """Gradient descent with the formula of the squared error, and its known mistakes: the weights it ends at."""
    w = weights(line())
    gradient = torch.zeros(3)
    for _ in range(epochs):
        gradient *= forget == "never"
        for features, targets in batches():
            x = torch.cat([features, torch.ones(4, 1)], dim=1)
            gradient = gradient * (forget != "batch") + 2 * x.T @ (x @ w - targets.reshape(-1)) / 4
            w = w - LEARNING_RATE * gradient * (step == "batch")
        w = w - LEARNING_RATE * gradient * (step == "epoch")
    return w
