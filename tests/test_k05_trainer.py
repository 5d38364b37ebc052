"""k05: a look at batches, the traps, a batch, a line; what the trainer does to a model, what it
prints, and what it leaves alone.
"""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dojo.diagnosis import counted
from tests.support import expect, formula, gradients, modes, placement, returned, training
from tests.support.descent import (
    ANEW,
    CAST,
    EARLIER,
    FIRST_ALONE,
    LAST_ALONE,
    LEARNING_RATE,
    MADE,
    RESHAPED,
    SUMMED,
    WRITTEN_IN,
    WRONG_WAY,
    batch,
    batches,
    check_all,
    check_losses,
    check_meeting,
    check_sent,
    check_shapes,
    descend,
    line,
    lines,
    loader,
    one_step,
    run,
    trained,
    transposed,
    weights,
)

META = torch.device("meta")
NOT_MOVED = "the batch is not moved: use the tensors that to_model gives back"


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
            "these are the examples: len(dataloader) counts the batches": 12,
            "this is one less: enumerate counts from 0, so its last number is not the count": 2,
        }
        expect.equal(number, 3, what="The number of batches", causes=examples)
        check_shapes(shapes, (1,) if column else ())

    @pytest.mark.parametrize(("drop_last", "right"), [(True, 2), (False, 3)])
    def test_counts_the_batches_that_come(self, kata, drop_last, right):
        data = DataLoader(TensorDataset(*torch.randn(2, 10)), batch_size=4, drop_last=drop_last)
        likely = "batch_size and drop_last decide how many come: len(dataloader) knows the number"
        what = f"The number of batches of ten examples, with drop_last={drop_last}"
        expect.equal(kata.look(data)[0], right, what, {likely: 5 - right})

    def test_takes_only_one_batch(self, kata):
        data, taken = batches(), []
        collate = torch.utils.data.default_collate
        data.collate_fn = lambda rows: (taken.append(len(rows)), collate(rows))[1]
        kata.look(data)
        headline, seen = "Not exactly one batch was made.", counted(len(taken), "batch")
        likely = expect.told(MADE[min(len(taken), 3)])
        expect.that(len(taken) == 1, headline, seen=seen, expected="1 batch", likely=likely)

    @pytest.mark.placement
    def test_takes_batches_on_any_device(self, kata, device):
        seen = placement.same(
            kata.look, batches(device=device), device=device, what="What look gives"
        )
        expect.equal(seen[0], 3, what=f"The number of batches on {device}")


@pytest.mark.task("traps")
class TestTraps:
    @pytest.mark.placement
    def test_batches_go_to_the_model(self, kata, device):
        model, batch = line().to(device), [torch.randn(4, 2), torch.arange(4)]  # class numbers
        moved = returned.several(kata.to_model(model, *batch), 2, "to_model", "features, targets")
        likely = "to_model moves the model itself: leave it where it is, and move the batch to it"
        expect.on_device(model.weight, device, "The model", likely)
        check_sent(moved, batch, device, "left where they are")
        back = kata.to_model(line(), *moved)
        check_sent(back, moved, torch.device("cpu"), "only moved to a GPU, not to the CPU")

    def test_batches_go_to_a_device_that_every_machine_has(self, kata):
        batch = next(iter(batches()))
        moved = kata.to_model(line().to(META), *batch)
        for seen, given in zip(moved, batch, strict=True):
            expect.on_device(seen, META, "The batch", NOT_MOVED if seen is given else WRITTEN_IN)
            expect.dtype(seen, given.dtype, "The batch", likely=CAST)

    @pytest.mark.placement
    def test_the_number_of_a_device_counts(self, kata):
        with placement.Pretended(placement.SECOND_GPU, model := line()) as there:
            kata.to_model(model, *next(iter(batches())))
        there.check("The batches")

    def test_as_many_numbers_take_the_shape_of_the_targets(self, kata):
        pairs = [((4, 1), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1)), ((4, 2), (4, 2)), ((2, 3), (6,))]
        pairs += [((1, 1), (1,)), ((1, 1), ()), ((1,), (1, 1))]
        draws = {
            f"outputs {one}{turned} and targets {other}": [make(one), torch.randn(other)]
            for one, other in pairs
            for turned, make in (("", torch.randn), (", turned in memory,", transposed))
        }
        right = lambda one, other: one.reshape(other.shape)  # noqa: E731
        formula.check(kata.like_targets, right, draws, "like_targets", RESHAPED, may_share=True)

    def test_gradients_flow_through_the_new_shape(self, kata):
        gradients.check_flow(
            lambda outputs: kata.like_targets(outputs, torch.zeros(4)),
            torch.ones(4, 1),
            torch.ones(4, 1),
            what="The outputs in their new shape",
        )

    @pytest.mark.parametrize("targets", [(4,), (4, 1), (3,)])
    def test_class_scores_stay_as_they_are(self, kata, targets):
        def like(scores, targets):
            try:
                return kata.like_targets(scores, targets)
            except NotImplementedError:  # a RuntimeError, too
                raise
            except RuntimeError as error:
                likely = f"12 numbers don't fit into {tuple(targets.shape)}: reshape only if both"
                likely += " hold equally many"
                expect.unmet(f"{what}: an error.", seen=error, expected="(4, 3)", likely=likely)

        what = f"Scores (4, 3) for targets {targets}"
        draws = [[torch.randn(4, 3), torch.zeros(targets)] for _ in range(2)]
        flat = "every output is flattened: only as many numbers as targets may be"
        wrong = {flat: lambda scores, _: scores.flatten()}
        formula.check(like, lambda scores, _: scores, draws, what, wrong, may_share=True)


@pytest.mark.task("batch", needs="traps")
class TestBatch:
    def test_returns_outputs_and_targets_as_the_criterion_got_them(self, kata):
        model, got = line(), []
        features, targets = next(iter(batches(column=False)))

        def criterion(outputs, targets):
            got.append((outputs, targets))
            return (outputs - targets).square().mean()

        _, *back = batch(kata, model, features, targets, criterion=criterion)
        likely = expect.told("loss = criterion(outputs, targets) is missing")
        expect.that(got, "The criterion is not used.", seen="no call", expected=1, likely=likely)
        outputs, meant = got[0]
        what = "The outputs that the criterion gets"
        stretched = "outputs (n, 1) meet targets (n,): like_targets(outputs, targets) comes before"
        expect.shape(outputs, meant.shape, what, {stretched: (4, 1)})
        kept = "the outputs take the targets' shape: here the targets take that of the outputs"
        expect.shape(meant, targets.shape, "The targets that the criterion gets", {kept: (4, 1)})
        swapped = {"they are swapped: criterion(outputs, targets)": targets.flatten()}
        expect.close(outputs.flatten(), line()(features).flatten(), what, swapped)
        for name, seen, given in zip(("outputs", "targets"), back, got[0], strict=True):
            same = "return those that the criterion got, in their new shape"
            expect.shape(seen, given.shape, f"The {name} that come back", {same: (4, 1)})
            expect.close(seen, given, f"The {name} that come back")

    @pytest.mark.parametrize("criterion", [nn.MSELoss(), nn.L1Loss()], ids=str)
    def test_returns_the_loss_before_the_step(self, kata, criterion):
        model, (features, targets) = line(), next(iter(batches()))
        outputs = model(features).detach()
        loss, *_ = batch(kata, model, features, targets, criterion=criterion)
        causes = {
            "this is the loss after the step: keep the one that backward() was called on": (
                criterion(model(features), targets)
            ),
            "this is the squared error: use the criterion that was handed in": (
                nn.MSELoss()(outputs, targets)
            ),
        }
        expect.that(
            isinstance(loss, float),
            "The loss is not a plain number.",
            seen=type(loss).__name__,
            expected="float",
            likely=expect.told("loss is a tensor: loss.item() is the number")
            if isinstance(loss, torch.Tensor)
            else "float(...) makes a plain number",
        )
        expect.close(loss, criterion(outputs, targets), f"The loss with {criterion}", causes)

    def test_takes_one_step_against_the_gradient(self, kata):
        model, (features, targets) = line(), next(iter(batches()))
        right, _ = one_step()
        batch(kata, model, features, targets)
        unmoved = "backward() or step() is missing, or zero_grad() stands between them"
        causes = {unmoved: weights(line()), "two steps were taken": one_step(right)[0]}
        expect.close(weights(model), right, what="The weights after one batch", causes=causes)

    def test_the_step_is_one_of_the_optimizer_handed_in(self, kata):
        optimizer, steps = torch.optim.SGD((model := line()).parameters(), LEARNING_RATE), []
        optimizer.register_step_post_hook(lambda *_: steps.append(1))
        kata.train_batch(model, nn.MSELoss(), optimizer, *next(iter(batches())))
        headline = "The optimizer that was handed in does not take one step."
        likely = "another optimizer is made, or the step is made by hand: use the argument"
        seen = counted(len(steps), "step")
        expect.that(len(steps) == 1, headline, seen=seen, expected="1 step", likely=likely)

    def test_class_scores_meet_class_numbers(self, kata):
        model, features, targets = nn.Linear(2, 3), torch.randn(5, 2), torch.arange(5) % 3
        right = nn.CrossEntropyLoss()(model(features), targets).item()
        loss, _, meant = batch(kata, model, features, targets, criterion=nn.CrossEntropyLoss())
        expect.close(loss, right, "The loss with CrossEntropyLoss()")
        expect.dtype(meant, torch.int64, "The targets", likely="leave the targets' dtype as it is")

    def test_an_old_gradient_does_not_matter(self, kata):
        model, (features, targets) = line(), next(iter(batches()))
        model.weight.grad, model.bias.grad = torch.ones(1, 2), torch.ones(1)
        right, gradient = one_step()
        causes = {
            "the old gradient was added: optimizer.zero_grad() belongs before backward()": (
                weights(line()) - LEARNING_RATE * (gradient + 1)
            ),
            "only the old gradient was followed: loss.backward() is missing": (
                weights(line()) - LEARNING_RATE
            ),
        }
        batch(kata, model, features, targets)
        what = "The weights after one batch, where .grad held 1 before"
        expect.close(weights(model), right, what, causes)

    @pytest.mark.placement
    def test_the_batch_goes_to_the_model(self, kata, device):
        model = line().to(device)
        _, *back = placement.same(
            lambda model, *part: batch(kata, model, *part),
            model,
            *next(iter(batches())),
            device=device,
            what="What comes back of a batch",
        )
        for tensor in (model.weight, *back):
            expect.on_device(tensor, device, what="The model, or what comes back", likely=NOT_MOVED)


@pytest.mark.task("line")
class TestLine:
    @pytest.mark.parametrize(
        ("epoch", "loss", "score"),
        [(1, 0.67114, None), (20, 1605.35699, None), (3, 2.0, 0.58333), (7, 0.5, 0.0)],
    )
    def test_has_the_epoch_the_loss_and_the_score_if_there_is_one(
        self, kata, capsys, epoch, loss, score
    ):
        start = f"epoch: {epoch}, loss: "
        ending = "" if score is None else f", score: {score:.4f}"
        rounded = "" if score is None else f", score: {round(score, 4)}"
        whole = "" if score is None else f", score: {score}"
        right = f"{start}{loss:.4f}{ending}"
        causes = {
            "a score of 0 is a score: ask whether it is None": f"{start}{loss:.4f}",
            "round(...) drops zeros at the end: {loss:.4f} keeps four decimals": (
                f"{start}{round(loss, 4)}{rounded}"
            ),
            "they are not rounded: {loss:.4f} gives four decimals": f"{start}{loss}{whole}",
            "the line ends with the loss where there is no score": f"{right}, score: None",
            "a line break was added: print makes one": f"{right}\n",
        }
        line = kata.epoch_line(epoch, loss, score)
        likely = "`return` is missing: print(...) shows the line, and gives None"
        headline, kind = "epoch_line does not return a text.", type(line).__name__
        expect.that(isinstance(line, str), headline, seen=kind, expected="str", likely=likely)
        expect.equal(line, right, what="The line", causes=causes)
        printed, headline = capsys.readouterr().out, "epoch_line prints."
        likely = expect.told("leave the print out: trainer prints the line")
        expect.that(not printed, headline, seen=repr(printed), expected="nothing", likely=likely)


@pytest.mark.task("trainer", needs="batch")
class TestTrains:
    def test_returns_the_loss_of_each_epoch(self, kata):
        first = run(kata, line(), batches(), epochs=4)
        expect.losses(first, epochs=4, what="trainer(...)")
        second = run(kata, line(), batches(), epochs=2)
        headline = "A second training also gives the losses of the first one."
        seen = counted(len(second), "loss")
        expect.that(second is not first, headline, seen=seen, expected=2, likely=formula.KEPT)

    def test_goes_on_where_nothing_is_left_to_learn(self, kata):
        model, features = line(), torch.randn(12, 2)
        losses = run(kata, model, loader(features, model(features).detach()), epochs=4)
        check_all(losses, 4, "A model that fits already is not trained for four epochs.")

    def test_goes_on_where_the_loss_rises(self, kata):
        model, rate = line(), 1.5  # steps that are too large
        losses = run(kata, model, batches(), rate, epochs=4)
        check_all(losses, 4, "A model whose loss rises is not trained for four epochs.")
        causes = {EARLIER: [descend(epochs, rate=rate) for epochs in range(4)]}
        expect.close(weights(model), descend(4, rate=rate), "The weights after them", causes)

    def test_the_optimizer_keeps_what_it_knows(self, kata):
        right, _ = trained(3, rate=0.02, momentum=0.9)
        for calls, causes in (([3], {ANEW: trained(3, rate=0.02)[0]}), ([1, 2], {})):
            model, what = line(), f"The weights after calls with {calls} epochs, with momentum"
            optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
            for epochs in calls:
                run(kata, model, batches(), epochs=epochs, optimizer=optimizer)
            expect.close(weights(model), right, what, causes, likely="" if causes else ANEW)

    def test_loss_is_the_mean_over_the_batches(self, kata):
        model, data = line(), loader(torch.randn(10, 2), torch.randn(10, 1))  # 4, 4 and 2 examples
        parts = [nn.MSELoss()(model(features), targets).item() for features, targets in data]
        causes = {
            SUMMED: sum(parts),
            LAST_ALONE: parts[-1],
            FIRST_ALONE: parts[0],
            "the sum over the batches is divided by something else than len(dataloader)": (
                sum(parts) / 10
            ),
            "this is the mean over the examples: each batch counts once, the smaller one too": (
                sum(n * part for n, part in zip((4, 4, 2), parts, strict=True)) / 10
            ),
            "the number of batches is divided out, and left with a fraction: len(dataloader)": (
                sum(parts) / 2.5
            ),
            "the last, smaller batch is left out": sum(parts[:2]) / 2,
        }
        # so that the model stays as it is
        losses = run(kata, model, data, epochs=1, learning_rate=0.0)
        expect.close(losses[0], sum(parts) / 3, what="The loss of an epoch", causes=causes)
        little = lambda *of: nn.MSELoss()(*of) / 1e5  # noqa: E731
        small = run(kata, model, data, epochs=1, learning_rate=0.0, criterion=little)
        causes = {"the loss is rounded: only the printed line is": round(sum(parts) / 3e5, 4)}
        expect.close(small[0], sum(parts) / 3e5, "A small loss", causes, atol=1e-9)

    def test_descends_batch_by_batch(self, kata):
        model = line()
        run(kata, model, batches(), epochs=2)
        causes = {
            training.PILED_UP.replace("step to step", "batch to batch"): descend(
                epochs=2, forget="never"
            ),
            "optimizer.zero_grad() stands outside the loop over the batches: every batch needs "
            "it": descend(2, forget="epoch"),
            "the parameters did not move: backward() or step() is missing": descend(0),
            "the optimizer steps once an epoch: optimizer.step() belongs to every batch": descend(
                2, "epoch", step="epoch"
            ),
            "only one epoch was trained": descend(epochs=1),
            "only the first batch of each epoch is trained": one_step(one_step()[0])[0],
        }
        expect.close(
            weights(model), descend(epochs=2), what="The weights after two epochs", causes=causes
        )

    def test_each_epoch_has_a_loss_of_its_own(self, kata):
        check_losses(run(kata, line(), batches(), epochs=4), epochs=4)

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

    @pytest.mark.parametrize(
        "cost", [nn.BCELoss(), nn.MSELoss()], ids=["cross-entropy", "squared error"]
    )
    def test_any_loss_trains_a_classifier(self, kata, cost):
        model, (features, _) = nn.Sequential(line(), nn.Sigmoid()), batches().dataset.tensors
        labels = (features[:, :1] > 0).float()
        other = nn.MSELoss() if isinstance(cost, nn.BCELoss) else nn.BCELoss()
        before, otherwise = (one(model(features), labels).item() for one in (cost, other))
        data = DataLoader(TensorDataset(features, labels), batch_size=12)
        losses = run(kata, model, data, epochs=20, criterion=cost)
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


@pytest.mark.task("trainer", needs=("batch", "line"))
class TestPrints:
    def test_prints_a_line_for_each_epoch(self, kata, capsys):
        losses = run(kata, line(), batches(), epochs=2, verbose=True)
        causes = {
            "nothing is printed": "",
            "only epoch 1 has a line: which remainder is it?": lines(losses, (1,)),
            "a score is printed, and there is none: epoch_line's score is None": lines(
                losses, scores=(0.0, 0.0)
            ),
            "the epochs are counted from 0": lines(losses, first=0),
            "the epochs are counted from 0, and a score is printed where there is none": lines(
                losses, scores=(0.0, 0.0), first=0
            ),
        }
        expect.equal(capsys.readouterr().out, lines(losses), what="The printed text", causes=causes)

    def test_is_verbose_unless_told_otherwise(self, kata, capsys):
        model = line()
        optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        losses = kata.trainer(model, nn.MSELoss(), optimizer, batches())
        printed = capsys.readouterr().out.count("\n")
        headline = "Without further arguments: not a line for each of five epochs."
        likely = WRONG_WAY if printed == 1 else "keep the stub's epochs=5, verbose=True, every=1"
        expect.that(printed == 5, headline, seen=printed, expected=5, likely=likely)
        expect.losses(losses, epochs=5, what="trainer(model, criterion, optimizer, dataloader)")

    def test_prints_only_after_every_so_many_epochs(self, kata, capsys):
        losses = run(kata, line(), batches(), epochs=7, verbose=True, every=3)
        causes = {
            "every epoch has its line: ask for the remainder, epoch % every": lines(losses),
            "the remainder is taken of an epoch counted from 0: the first line is that of epoch "
            "3": lines(losses, (1, 4, 7)),
            "the last epoch has a line too: 7 is not a multiple of 3": lines(losses, (3, 6, 7)),
            WRONG_WAY: lines(losses, (1, 3)),
            "these are the first epochs: ask for the remainder, epoch % every": (
                lines(losses, (1, 2, 3))
            ),
        }
        what = "The printed text, with every=3 and 7 epochs"
        expect.equal(capsys.readouterr().out, lines(losses, (3, 6)), what=what, causes=causes)

    @pytest.mark.parametrize(
        "kind", [lambda n: n / 10, int, torch.tensor], ids=["number", "whole number", "tensor"]
    )
    def test_the_mean_score_ends_the_line(self, kata, capsys, kind):
        values = map(kind, [1, 2, 6, 2, 2, 8, 0, 0, 0])  # three batches an epoch
        score = lambda outputs, targets: next(values)  # noqa: E731
        losses = run(kata, line(), batches(), epochs=3, verbose=True, score=score)
        unit = float(kind(10)) / 10
        wrong = {
            "this is the score of the last batch: take the mean, as for the loss": (6, 8, 0),
            SUMMED: (9, 12, 0),
            "the scores of earlier epochs are still in the sum: begin again with each": (3, 7, 7),
            "the mean is taken over all epochs so far: begin again with each": (3, 3.5, 7 / 3),
            "the score is asked once an epoch: once for each batch": (1, 2, 6),
        }
        right, none = lines(losses, scores=[unit * n for n in (3, 4, 0)]), lines(losses)
        causes = {
            cause: lines(losses, scores=[unit * n for n in scores])
            for cause, scores in wrong.items()
        }
        causes["the score is not printed"] = none
        causes["a mean of 0 is taken for none: ask whether there is a score, `is not None`"] = (
            "\n".join([*right.splitlines()[:2], none.splitlines()[2], ""])
        )
        expect.equal(capsys.readouterr().out, right, what="The printed text", causes=causes)

    def test_the_score_is_asked_once_a_batch_about_what_the_criterion_saw(self, kata):
        data, asked = batches(column=False), []
        score = lambda *pair: asked.append(pair) or 1.0  # noqa: E731
        run(kata, line(), data, epochs=1, learning_rate=0.0, verbose=True, score=score)
        headline, seen = "Not one score for each batch.", counted(len(asked), "time")
        likely = "call it in the loop over the batches"
        expect.that(len(asked) == 3, headline, seen=seen, expected="3 times", likely=likely)
        for (outputs, targets), (features, right) in zip(asked, data, strict=True):
            what = "The outputs that the score gets"
            expect.shape(outputs, targets.shape, what=f"{what}, next to its targets")
            swapped = {"they are swapped: score(outputs, targets)": right}
            expect.close(outputs.flatten(), line()(features).flatten(), what, swapped)
            expect.close(targets.flatten(), right, what="The targets that the score gets")

    @pytest.mark.parametrize("more", [{"verbose": False}, {"verbose": True, "every": 9}], ids=str)
    def test_the_score_is_asked_before_the_step_in_every_epoch(self, kata, more):
        seen, asked = [], []

        def criterion(outputs, targets):
            seen.append(outputs.detach().clone())
            return nn.MSELoss()(outputs, targets)

        score = lambda outputs, targets: asked.append(outputs.detach().clone()) or 1.0  # noqa: E731
        run(kata, line(), batches(), epochs=2, criterion=criterion, score=score, **more)
        headline, times = "Not one score for each batch.", counted(len(asked), "time")
        likely = "call it in the loop over the batches, whether a line is printed or not"
        expect.that(len(asked) == 6, headline, seen=times, expected="6 times", likely=likely)
        expect.that(
            all(map(torch.allclose, asked, seen)),
            "The outputs that the score gets are not those that the criterion got.",
            seen=expect.describe(asked[0]),
            expected=expect.describe(seen[0]),
            likely="the model is asked again, after the step: pass on what train_batch gives",
        )

    def test_is_silent_when_told(self, kata, capsys):
        run(kata, line(), batches(), epochs=2, verbose=False)
        printed = capsys.readouterr().out
        headline, likely = "verbose=False still prints.", "print stands outside the `if verbose:`"
        expect.that(not printed, headline, seen=printed[:80], expected="nothing", likely=likely)


@pytest.mark.task("trainer", needs="batch")
class TestLeavesAlone:
    @pytest.mark.parametrize("before", [True, False], ids=["training", "evaluation"])
    def test_trains_in_training_mode_and_restores_the_mode(self, kata, before):
        model, seen = nn.Sequential(line(), nn.Identity()).train(before), []
        model.register_forward_hook(lambda module, inputs, output: seen.append(module.training))
        run(kata, model, batches(), epochs=2, verbose=False, score=lambda *_: 1.0)
        once = "The model is not called once for each batch."
        likely = "keep what one call of the model gives, for the loss and for all that follows"
        times = counted(len(seen), "call")
        expect.that(len(seen) == 6, once, seen=times, expected="6 calls", likely=likely)
        expect.that(
            all(seen),
            "The model is not in training mode.",
            seen=seen,
            expected=[True] * 6,
            likely="model.train() is missing before the loop, or model.eval() stands inside it",
        )
        modes.expect_left(model, before)

    def test_leaves_the_data_as_it_was(self, kata):
        features, targets = torch.randn(8, 2), torch.randn(8, 1)
        with expect.untouched("The data", features, targets):
            run(kata, line(), DataLoader(TensorDataset(features, targets), batch_size=4), epochs=1)

    @pytest.mark.placement
    def test_takes_batches_from_the_cpu_to_the_model(self, kata, device):
        check_meeting(kata, line().to(device), batches())

    @pytest.mark.placement
    def test_takes_batches_from_a_device_to_a_model_on_the_cpu(self, kata, device):
        check_meeting(kata, line(), batches(device=device))
