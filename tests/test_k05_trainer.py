"""k05: what a call of the trainer does to a model, what it says, and what it leaves alone."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests.support import expect, placement, returned, training

LEARNING_RATE = 0.1
META = torch.device("meta")
NOT_MOVED = (
    "the batch is not moved to the model: batch.to(device) gives back another one, on the model's"
    " device"
)


@pytest.mark.task("look")
class TestLook:
    @pytest.mark.parametrize(
        "column", [True, False], ids=["targets in a column", "targets in a row"]
    )
    def test_gives_the_number_of_batches_and_two_shapes(self, kata, column):
        number, *shapes = returned.several(
            kata.look(batches(column)), 3, "look", "number of batches, one shape, the other"
        )
        examples = {
            "these are the examples, len(dataloader.dataset): len(dataloader) counts the batches": (
                12
            )
        }
        expect.equal(number, 3, what="The number of batches", causes=examples)
        whole = "this is the shape of all the data: next(iter(dataloader)) takes one batch out"
        for name, seen, right in zip(
            ("features", "targets"), shapes, ((2,), (1,) if column else ()), strict=True
        ):
            causes = {
                whole: (12, *right),
                "this is a single example: a batch has four of them": right,
            }
            expect.equal(tuple(seen), (4, *right), what=f"The shape of the {name}", causes=causes)

    def test_takes_only_one_batch(self, kata):
        data, taken = batches(), []
        data.collate_fn = lambda rows: (
            taken.append(len(rows)),
            torch.utils.data.default_collate(rows),
        )[1]
        kata.look(data)
        likely = (
            "a loop over the dataloader makes all batches: next(iter(dataloader)) makes the first"
            " alone"
        )
        expect.that(
            len(taken) == 1,
            "More than one batch was made.",
            seen=f"{len(taken)} batches",
            expected=1,
            likely=likely,
        )

    @pytest.mark.placement
    def test_takes_batches_on_any_device(self, kata, device):
        seen = placement.same(
            kata.look, batches(device=device), device=device, what="What look gives"
        )
        expect.equal(seen[0], 3, what=f"The number of batches on {device}")


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
            "the sum over the batches is divided by something else than len(dataloader)": (
                sum(parts) / 12
            ),
        }
        # so that the model stays as it is
        losses = run(kata, model, batches(), epochs=1, learning_rate=0.0)
        expect.close(losses[0], sum(parts) / len(parts), what="The loss of an epoch", causes=causes)

    def test_descends_batch_by_batch(self, kata):
        model = line()
        run(kata, model, batches(), epochs=2)
        causes = {
            training.PILED_UP.replace("step to step", "batch to batch"): descend(
                epochs=2, forget="never"
            ),
            "optimizer.zero_grad() stands outside the loop over the batches: every batch needs "
            "it": descend(2, forget="epoch"),
            "the parameters did not move: backward() or step() is missing, or zero_grad() "
            "stands between them": descend(0),
            "the optimizer steps once an epoch: optimizer.step() belongs to every batch": descend(
                2, "epoch", step="epoch"
            ),
            "only one epoch was trained": descend(epochs=1),
        }
        expect.close(
            weights(model), descend(epochs=2), what="The weights after two epochs", causes=causes
        )

    def test_a_second_call_carries_the_first_one_further(self, kata):
        once, at_once, in_two = line(), line(), line()
        for model, epochs in ((once, 2), (at_once, 4)):
            run(kata, model, batches(), epochs=epochs)
        optimizer = torch.optim.SGD(in_two.parameters(), lr=LEARNING_RATE)
        losses = [run(kata, in_two, batches(), epochs=2, optimizer=optimizer) for _ in range(2)]
        causes = {"each call begins anew: the trainer must not reset the model": weights(once)}
        expect.close(
            weights(in_two),
            weights(at_once),
            what="The weights after 2 + 2 epochs, compared with 4",
            causes=causes,
        )
        expect.losses(losses[1], epochs=2, what="The second call of trainer(...)")

    def test_targets_without_a_column_are_not_stretched(self, kata):
        model, data = line(), batches(column=False)
        parts, stretched = [], []
        for features, targets in data:
            parts.append((model(features).reshape(-1) - targets).square().mean().item())
            stretched.append((model(features) - targets).square().mean().item())
        likely = (
            "outputs (n, 1) and targets (n,) were stretched to (n, n): give the outputs the"
            " targets' shape"
        )
        losses = run(kata, model, data, epochs=1, learning_rate=0.0)
        expect.close(
            losses[0],
            sum(parts) / 3,
            what="The loss with targets of shape (n,)",
            causes={likely: sum(stretched) / 3},
        )

    def test_class_scores_keep_their_shape(self, kata):
        model = nn.Linear(2, 3)
        data = DataLoader(TensorDataset(torch.randn(8, 2), torch.arange(8) % 3), batch_size=4)
        parts = [
            nn.CrossEntropyLoss()(model(features), targets).item() for features, targets in data
        ]
        losses = run(
            kata, model, data, epochs=1, learning_rate=0.0, criterion=nn.CrossEntropyLoss()
        )
        expect.close(
            losses[0], sum(parts) / 2, what="The loss of scores (n, 3) and class numbers (n,)"
        )

    @pytest.mark.parametrize(
        "cost", [nn.BCELoss(), nn.MSELoss()], ids=["cross-entropy", "squared error"]
    )
    def test_any_cost_trains_a_classifier(self, kata, cost):
        model, (features, _) = nn.Sequential(line(), nn.Sigmoid()), batches().dataset.tensors
        labels = (features[:, :1] > 0).float()
        other = nn.MSELoss() if isinstance(cost, nn.BCELoss) else nn.BCELoss()
        before, otherwise = (one(model(features), labels).item() for one in (cost, other))
        losses = run(
            kata,
            model,
            DataLoader(TensorDataset(features, labels), batch_size=12),
            epochs=20,
            criterion=cost,
        )
        causes = {f"this is {other}: use the criterion that was handed in": otherwise}
        expect.close(
            losses[0], before, what=f"The first loss of a classifier with {cost}", causes=causes
        )
        expect.that(
            losses[-1] < 0.9 * before,
            f"{cost} does not fall.",
            seen=f"{losses[0]:.4g}, then {losses[-1]:.4g}",
            expected="a smaller loss",
            likely="the loss is computed by something else than the criterion that was handed in",
        )


@pytest.mark.task("trainer")
class TestSays:
    def test_prints_a_line_for_each_epoch(self, kata, capsys):
        losses = run(kata, line(), batches(), epochs=2, verbose=True)
        causes = {
            "nothing is printed": "",
            "the epochs are counted from 0": "".join(
                f"epoch: {n}, loss: {loss:.4f}\n" for n, loss in enumerate(losses)
            ),
            "the loss is not rounded: {loss:.4f} gives four decimals": "".join(
                f"epoch: {n}, loss: {loss}\n" for n, loss in enumerate(losses, start=1)
            ),
        }
        expect.equal(capsys.readouterr().out, lines(losses), what="The printed text", causes=causes)

    def test_is_verbose_unless_told_otherwise(self, kata, capsys):
        model = line()
        optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        losses = kata.trainer(model, nn.MSELoss(), optimizer, batches())
        expect.losses(losses, epochs=5, what="trainer(model, criterion, optimizer, dataloader)")
        printed = capsys.readouterr().out.count("\n")
        expect.that(
            printed == 5,
            "Not a line for each epoch.",
            seen=f"{printed} lines",
            expected="5 lines",
            likely="keep the defaults of the stub: epochs=5, verbose=True",
        )

    def test_prints_only_after_every_so_many_epochs(self, kata, capsys):
        losses = run(kata, line(), batches(), epochs=7, verbose=True, every=3)
        causes = {
            "every epoch has its line: ask for the remainder, epoch % every": lines(losses),
            "the remainder is taken of an epoch counted from 0: the first line is that of epoch "
            "3": lines(losses, (1, 4, 7)),
            "the last epoch has a line of its own: 7 is no multiple of 3": lines(losses, (3, 6, 7)),
        }
        what = "The printed text, with every=3 and 7 epochs"
        expect.equal(capsys.readouterr().out, lines(losses, (3, 6)), what=what, causes=causes)

    @pytest.mark.parametrize("kind", [float, torch.tensor], ids=["number", "tensor"])
    def test_the_mean_score_ends_the_line(self, kata, capsys, kind):
        values = iter([0.1, 0.2, 0.6, 0.2, 0.2, 0.8])  # three batches an epoch
        losses = run(
            kata,
            line(),
            batches(),
            epochs=2,
            verbose=True,
            score=lambda outputs, targets: kind(next(values)),
        )
        causes = {
            "this is the score of the last batch: take the mean, as for the loss": lines(
                losses, scores=(0.6, 0.8)
            ),
            "this is the sum over the batches: divide by len(dataloader)": lines(
                losses, scores=(0.9, 1.2)
            ),
            "the mean is taken over all epochs so far: begin again with each": lines(
                losses, scores=(0.3, 0.7)
            ),
            "the score is not printed": lines(losses),
        }
        expect.equal(
            capsys.readouterr().out,
            lines(losses, scores=(0.3, 0.4)),
            what="The printed text",
            causes=causes,
        )

    def test_the_score_is_asked_once_a_batch_about_what_the_criterion_saw(self, kata):
        data, asked = batches(column=False), []
        run(
            kata,
            line(),
            data,
            epochs=1,
            learning_rate=0.0,
            verbose=True,
            score=lambda *pair: asked.append(pair) or 1.0,
        )
        expect.that(
            len(asked) == 3,
            "Not a score for each batch.",
            seen=len(asked),
            expected=3,
            likely="ask in the inner loop",
        )
        for (outputs, targets), (features, right) in zip(asked, data, strict=True):
            expect.shape(
                outputs, targets.shape, what="The outputs that the score gets, next to its targets"
            )
            expect.close(
                outputs.flatten(),
                line()(features).flatten(),
                what="The outputs that the score gets",
            )
            expect.close(targets.flatten(), right, what="The targets that the score gets")

    def test_is_silent_when_told(self, kata, capsys):
        run(kata, line(), batches(), epochs=2, verbose=False)
        printed = capsys.readouterr().out
        expect.that(
            not printed,
            "verbose=False still prints.",
            seen=repr(printed[:80]),
            expected="nothing",
            likely="the print stands outside the `if verbose:`",
        )


@pytest.mark.task("trainer")
class TestLeavesAlone:
    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model, seen = line().train(before), []
        model.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        run(kata, model, batches(), epochs=1)
        expect.that(
            all(seen) and seen,
            "The model is not in training mode.",
            seen=seen,
            expected=[True] * 3,
            likely="model.train() is missing before the loop, or model.eval() stands inside it",
        )
        name = "training" if before else "evaluation"
        likely = "keep model.training at the start, and give it back at the end: model.train(mode)"
        expect.that(
            model.training == before,
            f"A model that came in {name} mode is left in another one.",
            seen=f"training={model.training}",
            expected=before,
            likely=likely,
        )

    def test_leaves_the_data_as_it_was(self, kata):
        features, targets = torch.randn(8, 2), torch.randn(8, 1)
        with expect.untouched("The data", features, targets):
            run(kata, line(), DataLoader(TensorDataset(features, targets), batch_size=4), epochs=1)

    def test_moves_each_batch_to_the_device_of_the_model(self, kata):
        run(kata, on_meta(), batches(), epochs=1, criterion=OnlyLooks())

    @pytest.mark.placement
    def test_takes_batches_from_the_cpu_to_the_model(self, kata, device):
        check_meeting(kata, line().to(device), batches())

    @pytest.mark.placement
    def test_takes_batches_from_a_device_to_a_model_on_the_cpu(self, kata, device):
        check_meeting(kata, line(), batches(device=device))

    @pytest.mark.placement
    def test_the_number_of_a_device_counts(self, kata):
        with placement.Pretended(placement.SECOND_GPU, model := line()) as there:
            run(kata, model, batches(), epochs=1)
        there.check("The batches")


def line() -> nn.Linear:
    """A model with two weights and a bias, always the same."""
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -1.0]]))
        model.bias.fill_(0.25)
    return model


def on_meta() -> nn.Linear:
    """The model on a device that every machine has besides the CPU: shapes without numbers. Its
    inputs have to be there too.
    """
    model = line().to(META)
    model.register_forward_pre_hook(
        lambda module, inputs: expect.on_device(*inputs, META, "The model's input", NOT_MOVED)
    )
    return model


def batches(column: bool = True, device: torch.device | str = "cpu") -> DataLoader:
    """Twelve examples in three batches of four, always the same; targets (n, 1), or (n,) without
    column.
    """
    features = torch.linspace(-1.5, 2.0, 24).reshape(12, 2).sin()
    targets = features @ torch.tensor([[2.0], [1.0]]) - 0.5
    targets = targets if column else targets.reshape(-1)
    return loader(features.to(device), targets.to(device))


def loader(*data: torch.Tensor) -> DataLoader:
    return DataLoader(TensorDataset(*data), batch_size=4)


def run(
    kata,
    model,
    data,
    *,
    epochs,
    learning_rate=LEARNING_RATE,
    criterion=None,
    optimizer=None,
    verbose=False,
    **more,
):
    """The learner's trainer, by default with the squared error and plain gradient descent."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=learning_rate)
    return kata.trainer(
        model, criterion or nn.MSELoss(), optimizer, data, epochs=epochs, verbose=verbose, **more
    )


def check_meeting(kata, model: nn.Module, data: DataLoader) -> None:
    """Batches and model may lie on two devices: the training works, and leaves model and data where
    they are.
    """
    given = data.dataset.tensors
    places = [tensor.device for tensor in given]

    def train(model, *tensors):
        batches = data if tensors[0] is given[0] else loader(*tensors)  # its copy on the CPU
        return run(kata, model, batches, epochs=2)

    placement.check_training(train, model, given, epochs=2)
    for tensor, place in zip(data.dataset.tensors, places, strict=True):
        expect.on_device(tensor, place, "The data set after training", placement.DATA_MOVED)
    expect.close(
        weights(model),
        descend(epochs=2),
        what=f"The weights, on {model.weight.device}, after two epochs",
        atol=1e-4,
    )


def weights(model: nn.Linear) -> torch.Tensor:
    return torch.cat([model.weight.detach().flatten().cpu(), model.bias.detach().cpu()])


def descend(epochs: int, forget: str = "batch", step: str = "batch") -> torch.Tensor:
    """Gradient descent with the formula of the squared error, and its known mistakes: the weights
    it ends at.
    """
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


class OnlyLooks(nn.Module):
    """A criterion that asks where its inputs are, and gives a loss that depends on nothing."""

    def forward(self, outputs, targets):
        expect.on_device(outputs, META, what="The output that the criterion gets")
        expect.on_device(targets, META, "The target that the criterion gets", NOT_MOVED)
        return torch.zeros((), requires_grad=True)


def lines(losses, epochs=None, scores=None):
    """The text of these epochs, by default of all."""
    endings = [f", score: {score:.4f}" for score in scores] if scores else [""] * len(losses)
    numbers = epochs or range(1, len(losses) + 1)
    return "".join(f"epoch: {n}, loss: {losses[n - 1]:.4f}{endings[n - 1]}\n" for n in numbers)
