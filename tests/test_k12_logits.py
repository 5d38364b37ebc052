"""k12: from logits to labels, the loss that stays finite, and two figures that tell different
stories.
"""

import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional as F

from tests.support import calls, expect, gradients, placement

LOGITS = torch.tensor([-0.4279, -0.3417, -0.5975, -0.3801, -0.5078, 14.7807, -12.2642])
STRETCHED = (
    "(n, 1) and (n,) were broadcast to (n, n): give both the same shape first, with flatten() or"
    " reshape(-1)"
)
# logits and targets: two right, two wrong
HUGE = torch.tensor([1e4, -1e4, 1e4, -1e4]), torch.tensor([1.0, 0.0, 0.0, 1.0])


@pytest.mark.task("probabilities")
class TestProbabilities:
    def test_probability_is_the_sigmoid_of_the_logit(self, kata):
        expected = torch.tensor([0.3946, 0.4154, 0.3549, 0.4061, 0.3757, 1.0, 4.7176e-6])
        causes = {
            "the sign is off: sigmoid(z) = 1 / (1 + exp(-z)), with a minus": 1 - expected,
            "this is tanh, which runs from -1 to 1": torch.tanh(LOGITS),
            "softmax makes the examples add up to 1: with one logit each it is the sigmoid": (
                F.softmax(LOGITS, dim=0)
            ),
            "these are answers, 0 or 1: a probability is not rounded": expected.round(),
        }
        with expect.untouched("The logits", LOGITS):
            expect.close(
                kata.to_probabilities(LOGITS),
                expected,
                what="The probabilities",
                causes=causes,
                atol=6e-5,
            )

    @pytest.mark.parametrize("shape", [(), (5,), (5, 1), (2, 3, 4)], ids=str)
    def test_keeps_the_shape(self, kata, shape):
        logits = 3 * torch.randn(shape)
        ones = "softmax over a single column is 1 for every example: one logit needs the sigmoid"
        expect.close(
            kata.to_probabilities(logits),
            torch.special.expit(logits),
            what=f"Probabilities {shape}",
            causes={ones: torch.ones(shape)} if shape else {},
        )

    def test_stays_finite_for_huge_logits(self, kata):
        seen = expect.tensor(kata.to_probabilities(torch.tensor([1e4, -1e4, 0.0])), "The result")
        likely = (
            "exp(10000) is infinite, and inf / inf is NaN: torch.sigmoid is safe for logits of any"
            " size"
        )
        expect.that(
            seen.isfinite().all(),
            "The probabilities of the logits 10000, -10000 and 0 are not finite.",
            seen=expect.describe(seen),
            expected="1, 0 and 0.5",
            likely=likely,
        )

    def test_gradients_flow(self, kata):
        p = torch.sigmoid(z := torch.randn(5))
        gradients.check_flow(kata.to_probabilities, z, p * (1 - p), "The probabilities")

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = torch.randn(4, 1, requires_grad=True)
        placement.check(kata.to_probabilities, logits, device=device, what="The result")


@pytest.mark.task("labels")
class TestLabels:
    def test_threshold_lies_at_probability_one_half(self, kata):
        logits = torch.tensor([-9.0, -0.2, -0.01, 0.0, 0.01, 0.3, 0.49, 0.51, 9.0])
        causes = {
            "0.5 is the threshold for the probability; the logit of the probability 0.5 is 0": (
                logits >= 0.5
            ),
            "a probability of exactly 0.5 is a 1: torch.round and > give 0 there": logits > 0,
            "these are the rounded logits: the threshold belongs to the probabilities": (
                logits.round()
            ),
            "0 and 1 are swapped": logits < 0,
        }
        causes = {cause: wrong.to(torch.int64) for cause, wrong in causes.items()}
        with expect.untouched("The logits", logits):
            seen = kata.to_labels(logits)
        expect.close(
            seen, (logits >= 0).long(), what="The labels of logits from -9 to 9", causes=causes
        )

    @pytest.mark.parametrize("shape", [(1, 1), (6, 1), (1,), (6,)], ids=str)
    def test_drops_the_extra_dimension(self, kata, shape):
        causes = {
            "the extra dimension is still there: reshape(-1) drops it": (*shape[:1], 1),
            "squeeze() drops every dimension of size 1, the only example's too: use reshape(-1), "
            "or squeeze(1)": (),
        }
        expect.shape(
            kata.to_labels(torch.randn(shape)),
            shape[:1],
            what=f"The labels of logits {shape}",
            causes=causes,
        )

    def test_labels_are_whole_numbers(self, kata):
        causes = {
            "a comparison gives True and False: .to(torch.int64) makes them numbers": torch.bool
        }
        expect.dtype(
            kata.to_labels(torch.randn(6, 1, requires_grad=True)),
            torch.int64,
            what="The labels",
            causes=causes,
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = torch.tensor([[-2.0], [0.5], [3.0], [-0.5]])
        placement.check(kata.to_labels, logits, device=device, what="The labels")


@pytest.mark.task("loss")
class TestLoss:
    @pytest.mark.parametrize("shape", [(8,), (8, 1), (4, 3)], ids=str)
    def test_equals_torch(self, kata, shape):
        z, y = 2 * torch.randn(shape), (torch.rand(shape) > 0.4).float()
        p, each = torch.sigmoid(z), F.binary_cross_entropy_with_logits(z, y, reduction="none")
        causes = {
            "this is the sum over the entries: the loss is their mean": each.sum(),
            "this is one loss per entry: the mean over them is missing": each,
            "the sign is off: a loss is not negative": -each.mean(),
            "the targets are swapped: this is the loss of 1 - y": (
                F.binary_cross_entropy_with_logits(z, 1 - y)
            ),
            "the sigmoid is applied first: the formula wants the raw logits": (
                F.binary_cross_entropy_with_logits(p, y)
            ),
            "the term of the zeros is missing: (1 - y) * log(1 - p)": -(y * p.log()).mean(),
            "the term y * z is added: subtract it": (F.softplus(z) + y * z).mean(),
            "max(z, 0) is missing beside log(1 + exp(-|z|))": (
                (F.softplus(-z.abs()) - y * z).mean()
            ),
        }
        with expect.untouched("Logits and targets", z, y):
            expect.close(kata.bce_with_logits(z, y), each.mean(), what="The loss", causes=causes)

    def test_stays_finite_for_huge_logits(self, kata):
        z, y = HUGE
        seen = expect.tensor(kata.bce_with_logits(z, y), "The loss")
        likely = (
            "exp(10000) is infinite and log(0) is -inf: work on the logits, with max(z, 0) + log(1"
            " + exp(-|z|))"
        )
        headline, shown = "The loss of the logits ±10000 is not finite.", expect.describe(seen)
        expect.that(seen.isfinite().all(), headline, seen=shown, expected="5000", likely=likely)
        likely = (
            "clamp, or a tiny number inside log, caps the loss: a wrong answer of 10000 has to cost"
            " 10000, a right one 0"
        )
        headline = "The loss of logits ±10000, half of them wrong: too small."
        expect.that(seen >= 4999, headline, seen=shown, expected="5000", likely=likely)

    def test_gradients_equal_torch(self, kata):
        for z, y in ((3 * torch.randn(6), (torch.rand(6) > 0.5).float()), HUGE):
            right = (torch.sigmoid(z) - y) / z.numel()
            gradients.check_flow(lambda z, y=y: kata.bce_with_logits(z, y), z, right, "The loss")

    def test_other_shapes_are_refused(self, kata):
        for logits, targets in (((4, 1), (4,)), ((4,), (4, 1)), ((4,), (1,))):
            try:
                loss = kata.bce_with_logits(torch.zeros(logits), torch.ones(targets))
                seen = f"{expect.describe(loss)}, and no error"
            except ValueError:
                continue
            headline = f"Logits {logits} and targets {targets} are not refused."
            likely = (
                "compare the two shapes first, and raise ValueError(...) if they differ: torch"
                " would broadcast one"
            )
            expect.unmet(headline, seen=seen, expected="a ValueError", likely=likely)

    def test_is_written_out(self, kata):
        names = (
            "binary_cross_entropy_with_logits",
            "binary_cross_entropy",
            "cross_entropy",
            "soft_margin_loss",
        )
        likely = (
            "this lesson builds the loss by hand, from exp, log, abs and max; later katas use"
            " torch's"
        )
        calls.check_written_out(
            lambda: kata.bce_with_logits(torch.randn(4), torch.ones(4)), names, "The loss", likely
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = torch.randn(4, 1, device=device, requires_grad=True)
        loss = placement.same(
            kata.bce_with_logits,
            logits,
            torch.ones(4, 1, device=device),
            device=device,
            what="The loss",
            lies_there=True,
        )
        loss.backward()
        expect.on_device(logits.grad, device, what="The loss's gradient")


@pytest.mark.task("figures")
class TestFigures:
    def test_accuracy_is_the_share_of_right_answers(self, kata):
        y_true = torch.tensor([1, 1, 1, 0, 0, 0, 0, 0])
        y_pred = torch.tensor([1, 1, 0, 1, 0, 0, 0, 0])
        causes = {
            "this is the number of right answers: divide by how many there are": 6.0,
            "this is the share of wrong answers": 0.25,
            "this is a share among the 1s only: right 0s count as well": 2 / 3,
        }
        with expect.untouched("The labels", y_true, y_pred):
            expect.close(
                kata.accuracy(y_true, y_pred),
                0.75,
                what="The accuracy of 6 right answers among 8",
                causes=causes,
            )

    def test_f1_equals_scikit_learn(self, kata):
        for share in (0.1, 0.5, 0.9):
            y_true, y_pred = (torch.rand(40) < share).long(), (torch.rand(40) < 0.5).long()
            right, positive = y_true.bool(), y_pred.bool()
            precision, recall = y_true[positive].float().mean(), y_pred[right].float().mean()
            causes = {
                "this is the accuracy": (y_true == y_pred).float().mean(),
                "this is the precision alone, TP / (TP + FP)": precision,
                "this is the recall alone, TP / (TP + FN)": recall,
                "this is the plain mean of precision and recall; F1 is 2 P R / (P + R)": (
                    (precision + recall) / 2
                ),
                "TP counts only once here: F1 is 2 TP / (2 TP + FP + FN)": (
                    (right & positive).sum() / (right | positive).sum()
                ),
                "this is the F1 of class 0: count the 1s": f1_score(
                    y_true, y_pred, pos_label=0, zero_division=0
                ),
            }
            with expect.untouched("The labels", y_true, y_pred):
                expect.close(
                    kata.f1(y_true, y_pred),
                    f1_score(y_true, y_pred, zero_division=0),
                    what="F1",
                    causes=causes,
                )

    def test_accuracy_flatters_where_one_class_is_rare(self, kata):
        y_true, never = torch.tensor([0] * 95 + [1] * 5), torch.zeros(100)
        expect.close(
            kata.accuracy(y_true, never),
            0.95,
            what="The accuracy of always saying 0, where 95 of 100 are 0",
        )
        causes = {"0s that were called 0 are counted: F1 looks at class 1 alone": 0.95}
        expect.close(
            kata.f1(y_true, never),
            0.0,
            what="F1 of always saying 0, where 95 of 100 are 0",
            causes=causes,
        )

    @pytest.mark.parametrize(
        "answers", [[0, 0, 0], [1, 0, 0]], ids=["no 1 at all", "a 1 said in vain"]
    )
    def test_f1_without_a_one_is_zero(self, kata, answers):
        seen = kata.f1(torch.zeros(3, dtype=torch.int64), torch.tensor(answers))
        expect.close(
            seen, 0.0, what=f"F1 where the right labels are all 0 and the answers {answers}"
        )

    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_a_column_next_to_a_row(self, kata, name):
        y_true, y_pred = torch.tensor([1.0, 0.0, 1.0, 1.0]), torch.tensor([1, 0, 0, 1])
        right, stretched = {"accuracy": (0.75, 0.5), "f1": (0.8, 12 / 20)}[name]
        for one, other in ((y_true, y_pred[:, None]), (y_true[:, None], y_pred)):
            what = f"{name} of labels {tuple(one.shape)} and answers {tuple(other.shape)}"
            expect.close(
                getattr(kata, name)(one, other), right, what=what, causes={STRETCHED: stretched}
            )

    @pytest.mark.placement
    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_gives_a_plain_number_from_any_device(self, kata, name, device):
        seen = placement.same(
            getattr(kata, name),
            torch.tensor([1, 0, 1], device=device),
            torch.tensor([1, 0, 0], device=device),
            device=device,
            what=f"The result of {name}",
        )
        likely = (
            "`return` is missing"
            if seen is None
            else ".item() turns a tensor that holds one number into a plain number"
        )
        headline = f"{name} does not give a plain number."
        expect.that(
            type(seen) is float, headline, seen=repr(seen), expected="a Python float", likely=likely
        )
