"""k12: from logits to labels, the loss that stays finite, and two figures that tell different
stories.
"""

import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional as F

from tests.support import calls, expect, formula, placement, refused


@pytest.mark.task("probabilities")
class TestProbabilities:
    def test_probability_is_the_sigmoid_of_the_logit(self, kata):
        n, m = formula.sizes(2)
        draws = {
            "the logits in the lesson": [torch.tensor([[-0.4279], [14.7807], [-12.2642]])],
            f"{n} logits": [3 * torch.randn(n)],
            f"logits ({m}, 1)": [3 * torch.randn(m, 1)],
        }
        formula.check(
            kata.to_probabilities, torch.sigmoid, draws, "The probabilities", SIGMOIDS, atol=1e-6
        )

    def test_keeps_the_shape(self, kata):
        shapes = [(), (0,), (1, 1), (2, 3, 4)]
        draws = {f"logits {shape}": [3 * torch.randn(shape)] for shape in shapes}
        formula.check(kata.to_probabilities, torch.sigmoid, draws, "The probabilities", SIGMOIDS)

    def test_stays_finite_for_huge_logits(self, kata):
        draws = {"7 logits": [torch.randn(7)], "the logits 10000, -10000 and 0": [HUGE[:2]]}
        draws |= {"logits around ±100": [torch.tensor([[90.0, -90.0], [130.0, -130.0]])]}
        formula.check(kata.to_probabilities, torch.sigmoid, draws, "The probabilities", SIGMOIDS)

    def test_gradients_flow(self, kata):
        draws = {f"{n} logits": [3 * torch.randn(n)] for n in formula.sizes(2)}
        draws |= {"the logits ±100 and ±10000": [torch.tensor([100.0, -100.0, 1e4, -1e4])]}
        overflow = (
            "exp(-z) is inf for a logit of -100, and its gradient 0 * inf, which is NaN:"
            " torch.sigmoid is safe for logits of any size"
        )
        what = "The gradient of the probabilities"
        wrong = {overflow: formula.slope(lambda z: 1 / (1 + torch.exp(-z)), entrywise=True)}
        formula.check(
            formula.slope(kata.to_probabilities, what="The probabilities", entrywise=True),
            formula.slope(torch.sigmoid, entrywise=True),
            draws,
            what,
            wrong,
            atol=1e-6,
        )

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = torch.randn(4, 1, requires_grad=True)
        placement.check(kata.to_probabilities, logits, device=device, what="The result")


@pytest.mark.task("labels")
class TestLabels:
    def test_threshold_lies_at_probability_one_half(self, kata):
        edges = torch.tensor([-9.0, -0.51, -0.2, -0.01, 0.0, -0.0, 0.01, 0.3, 0.49, 0.51, 1.7, 9.0])
        n, m = formula.sizes(2)
        draws = {
            "logits from -9 to 9": [edges],
            f"{n} logits": [torch.randn(n)],
            f"logits ({m}, 1)": [torch.randn(m, 1)],
            "huge logits": [HUGE],
        }
        formula.check(kata.to_labels, lambda z: whole(z >= 0), draws, "The labels", LABELS)

    def test_drops_the_extra_dimension(self, kata):
        shapes = [(6, 1), (1, 1), (1,), (6,)]
        draws = {f"logits {shape}": [torch.randn(shape)] for shape in shapes}
        formula.check(kata.to_labels, lambda z: whole(z >= 0), draws, "The labels", LABELS)

    def test_labels_are_whole_numbers(self, kata):
        draws = [[torch.randn(n, 1, requires_grad=True)] for n in formula.sizes(2)]
        formula.check(kata.to_labels, lambda z: whole(z >= 0), draws, "The labels", LABELS)

    @pytest.mark.placement
    def test_follows_its_device(self, kata, device):
        logits = torch.tensor([[-2.0], [0.5], [3.0], [-0.5]])
        placement.check(kata.to_labels, logits, device=device, what="The labels")


@pytest.mark.task("loss")
class TestLoss:
    def test_equals_torch(self, kata):
        n, m = formula.sizes(2)
        draws = {
            f"logits {shape}": examples(*shape) for shape in ((n,), (m, 1), (5, 3), (), (1, 1))
        }
        draws |= {"targets between 0 and 1": [torch.randn(n), torch.rand(n)]}
        formula.check(
            kata.bce_with_logits, F.binary_cross_entropy_with_logits, draws, "The loss", LOSSES
        )

    def test_stays_finite_for_huge_logits(self, kata):
        draws = {"8 logits": examples(8), "the logits ±10000, half of them wrong": huge()}
        formula.check(
            kata.bce_with_logits, F.binary_cross_entropy_with_logits, draws, "The loss", LOSSES
        )

    def test_gradients_equal_torch(self, kata):
        draws = {f"{n} logits": examples(n) for n in formula.sizes(2)}
        draws |= {"the logits ±10000, half of them wrong": huge()}
        formula.check(
            formula.slope(kata.bce_with_logits, what="The loss"),
            formula.slope(F.binary_cross_entropy_with_logits),
            draws,
            "The gradient of the loss",
            formula.slopes(LOSSES),
            atol=1e-6,
        )

    def test_other_shapes_are_refused(self, kata):
        pairs = [((4, 1), (4,)), ((4,), (4, 1)), ((4,), (1,)), ((4, 1), (1, 4)), ((4, 3), (4, 1))]
        for logits, targets in (*pairs, ((4,), (5,))):
            likely = (
                "compare the two shapes first, and raise ValueError(...) if they differ: torch"
                " would broadcast one"
            )
            try:
                loss = kata.bce_with_logits(torch.zeros(logits), torch.ones(targets))
                seen = f"{expect.describe(loss)}, and no error"
                if refused.handed_back(loss):
                    likely = expect.told(refused.RETURNED)
            except ValueError:
                continue
            except (AssertionError, RuntimeError) as error:
                if isinstance(error, NotImplementedError):
                    raise
                seen = f"{type(error).__name__}: {error}"
                if isinstance(error, AssertionError):
                    likely = "the error is another: raise ValueError(...) instead of assert"
            headline = f"Logits {logits} and targets {targets} are not refused with a ValueError."
            expect.unmet(headline, seen=seen, expected="a ValueError", likely=likely)

    def test_is_written_out(self, kata):
        names = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy"]
        names += ["soft_margin_loss"]
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
        self.check(kata, "accuracy", drawn(0.2, 0.7, 0.95))

    def test_f1_equals_scikit_learn(self, kata):
        draws = drawn(0.1, 0.5, 0.9)
        for labels in draws.values():
            assert RIGHT["f1"](*labels) == pytest.approx(f1_score(*labels, zero_division=0))
        self.check(kata, "f1", draws)

    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_labels_of_any_dtype(self, kata, name):
        kinds = [(torch.uint8, torch.uint8), (torch.int8, torch.float64), (torch.bool, torch.bool)]
        half = [(torch.float16, torch.float16), (torch.int64, torch.float16)]
        draws = {}
        for one, other in [*kinds, *half, half[1][::-1]]:
            y_true, y_pred = answers(0.4).repeat(1, 1 if (one, other) in kinds else 301)
            draws[f"labels of {one} and answers of {other}"] = y_true.to(one), y_pred.to(other)
        self.check(kata, name, draws)

    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_accuracy_flatters_where_one_class_is_rare(self, kata, name):
        rare = torch.tensor([0] * 95 + [1] * 5), torch.zeros(100)
        self.check(kata, name, {"always saying 0, where 95 of 100 are 0": rare, **drawn(0.3, 0.6)})

    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_f1_without_a_one_is_zero(self, kata, name):
        none, once = torch.zeros(3, dtype=torch.int64), torch.tensor([1, 0, 0])
        draws = {"no 1 at all": [none, none], "a 1 said in vain": [none, once]}
        draws |= {"a 1 that is missed": [once, none], "1s alone": [once[:1], once[:1]]}
        self.check(kata, name, drawn(0.4) | draws)

    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_a_column_next_to_a_row(self, kata, name):
        draws = {}
        for share in (0.3, 0.8):
            y_true, y_pred = answers(share)
            n = len(y_true)
            draws[f"labels ({n},) and answers ({n}, 1)"] = y_true.float(), y_pred[:, None]
            draws[f"labels ({n}, 1) and answers ({n},)"] = y_true[:, None], y_pred.bool()
        self.check(kata, name, draws)

    def check(self, kata, name, draws):
        wrong = WRONG[name] | {STRETCHED: stretched(RIGHT[name])}
        formula.check(getattr(kata, name), RIGHT[name], draws, name, wrong)

    @pytest.mark.placement
    @pytest.mark.parametrize("name", ["accuracy", "f1"])
    def test_gives_a_plain_number_from_any_device(self, kata, name, device):
        pair = [torch.tensor(labels, device=device) for labels in ([1, 0, 1], [1, 0, 0])]
        what = f"The result of {name}"
        seen = placement.same(getattr(kata, name), *pair, device=device, what=what)
        likely = ".item() turns a tensor that holds one number into a plain number"
        likely = "`return` is missing" if seen is None else likely
        headline = f"{name} does not give a plain number."
        expect.that(
            type(seen) is float, headline, seen=repr(seen), expected="a Python float", likely=likely
        )


HUGE = torch.tensor([1e4, -1e4, 1e4, -1e4])
HALF_WRONG = torch.tensor([1.0, 0.0, 0.0, 1.0])
SIGMOIDS = {
    "the sign is off: sigmoid(z) = 1 / (1 + exp(-z)), with a minus": lambda z: torch.sigmoid(-z),
    "this is tanh, which runs from -1 to 1": torch.tanh,
    "softmax makes numbers add up to 1: with one logit for each example it is the sigmoid": (
        lambda z: F.softmax(z, dim=0)
    ),
    "softmax over a single column is 1 for every example: one logit needs the sigmoid": (
        lambda z: F.softmax(z, dim=-1)
    ),
    "these are answers, 0 or 1: a probability is not rounded": lambda z: torch.sigmoid(z).round(),
    "these are the logits cut off at 0 and 1: a probability is the sigmoid of the logit": (
        lambda z: z.clamp(0, 1)
    ),
    "this is log(sigmoid(z)): a probability has no log": F.logsigmoid,
    "the sigmoid is applied twice": lambda z: torch.sigmoid(torch.sigmoid(z)),
    "exp(z) / (1 + exp(z)) is inf / inf, which is NaN, for a large z: divide by exp(z) above and"
    " below": lambda z: z.exp() / (1 + z.exp()),
    "the shape of the logits is lost: flatten, reshape or squeeze is not needed here": [
        lambda z: torch.sigmoid(z).flatten(),
        lambda z: torch.sigmoid(z).squeeze(),
        lambda z: torch.sigmoid(z).reshape(-1, 1),
    ],
}


def whole(answers):
    """The right form of answers: (n,) whole numbers."""
    return answers.reshape(-1).to(torch.int64)


LABELS = {
    "0.5 is the threshold for the probability; the logit of the probability 0.5 is 0": (
        lambda z: whole(z >= 0.5)
    ),
    "a probability of exactly 0.5 is a 1: torch.round and > give 0 there": lambda z: whole(z > 0),
    "these are the rounded logits: the threshold belongs to the probabilities": (
        lambda z: whole(z.round())
    ),
    "these are the whole parts of the logits: the threshold belongs to the probabilities": whole,
    "these are the whole parts of the probabilities, 0 below 1: compare with 0.5 first": (
        lambda z: whole(torch.sigmoid(z))
    ),
    "0 and 1 are swapped": lambda z: whole(z < 0),
    "these are -1, 0 and 1, the signs: a label is 0 or 1": lambda z: whole(z.sign()),
    "argmax over a single column is always 0: compare with the threshold": (
        lambda z: whole(z.reshape(len(z), -1).argmax(dim=1))
    ),
    "the extra dimension is still there: reshape(-1) drops it": lambda z: (z >= 0).long(),
    "squeeze() drops every dimension of size 1, the only example's too: reshape(-1) takes (n, 1)"
    " as well as (n,)": lambda z: (z >= 0).long().squeeze(),
    "a comparison gives True and False: .to(torch.int64) makes them numbers": (
        lambda z: (z >= 0).reshape(-1)
    ),
    "these are floats: .to(torch.int64) makes whole numbers": lambda z: (
        (z >= 0).reshape(-1).float()
    ),
    "the labels stand in a column: (n,) is asked for": lambda z: whole(z >= 0)[:, None],
}


def examples(*shape):
    """Logits and targets of this shape."""
    return [3 * torch.randn(shape), (torch.rand(shape) > 0.4).float()]


def huge():
    """Huge logits and their targets: two right, two wrong."""
    return [HUGE, HALF_WRONG]


def naive(z, y, change=lambda p: p, log=torch.log):
    """The loss of k06, by way of the probabilities."""
    p = change(torch.sigmoid(z))
    return -(y * log(p) + (1 - y) * log(1 - p)).mean()


TINY = [10.0**-n for n in range(4, 21)]
CAPS = (5, 10, 15, 16, 20, 30, 50, 80, 87, 88, 100)
LOSSES = {
    "this is the sum over the entries: the loss is their mean": lambda z, y: each(z, y).sum(),
    "this is one loss per entry: the mean over them is missing": lambda z, y: each(z, y),
    "the sign is off: a loss is not negative": lambda z, y: -each(z, y).mean(),
    "the targets are swapped: this is the loss of 1 - y": lambda z, y: each(z, 1 - y).mean(),
    "the sigmoid is applied first: the formula wants the raw logits": (
        lambda z, y: each(torch.sigmoid(z), y).mean()
    ),
    "the term of the zeros is missing: (1 - y) * log(1 - p)": (
        lambda z, y: -(y * F.logsigmoid(z)).mean()
    ),
    "the term of the ones is missing: y * log(p)": (
        lambda z, y: -((1 - y) * F.logsigmoid(-z)).mean()
    ),
    "the term y * z is added: subtract it": lambda z, y: (F.softplus(z) + y * z).mean(),
    "the term y * z is missing: subtract it": lambda z, y: F.softplus(z).mean(),
    "y stands alone where y * z belongs": lambda z, y: (F.softplus(z) - y).mean(),
    "y * p stands where y * z belongs: subtract y times the logit": (
        lambda z, y: (F.softplus(z) - y * torch.sigmoid(z)).mean()
    ),
    "y * log(p) stands where y * z belongs: subtract y times the logit": (
        lambda z, y: (F.softplus(z) - y * F.logsigmoid(z)).mean()
    ),
    "y times log(1 + exp(z)) stands where y * z belongs": (
        lambda z, y: (F.softplus(z) - y * F.softplus(z)).mean()
    ),
    "the targets are rounded: they may lie between 0 and 1": [
        lambda z, y: each(z, y.round()).mean(),
        lambda z, y: each(z, (y > 0.5).float()).mean(),
        lambda z, y: each(z, (y == 1).float()).mean(),
        lambda z, y: each(z, y.long().float()).mean(),
    ],
    "this is the mean over the first dimension alone: mean() takes all entries": (
        lambda z, y: each(z, y).mean(dim=0)
    ),
    "this is divided by the number of rows: the mean is over all entries": (
        lambda z, y: each(z, y).sum() / (len(z) if z.dim() else 1)
    ),
    "log(1 + exp(...)) gets the targets, and has to get the logits": (
        lambda z, y: (F.softplus(y) - y * z).mean()
    ),
    "softplus takes beta as its second argument: leave it out": [
        lambda z, y, b=b: (F.softplus(z, b) - y * z).mean() for b in (0.5, 2, 10, 20)
    ],
    "max() of all logits is a single number: max(z, 0) is taken for each z": [
        lambda z, y: (z.max() + F.softplus(-z.abs()) - y * z).mean(),
        lambda z, y: (z.max().clamp(min=0) + F.softplus(-z.abs()) - y * z).mean(),
    ],
    "|z| is missing beside max(z, 0): it is exp(-|z|), not exp(-z)": (
        lambda z, y: (z.clamp(min=0) + torch.log1p(torch.exp(-z)) - y * z).mean()
    ),
    "max(z, 0) is missing beside log(1 + exp(-|z|))": (
        lambda z, y: (F.softplus(-z.abs()) - y * z).mean()
    ),
    "log(1 + exp(-|z|)) is missing beside max(z, 0)": (
        lambda z, y: (z.clamp(min=0) - y * z).mean()
    ),
    "|z| stands where max(z, 0) belongs": (
        lambda z, y: (z.abs() + F.softplus(-z.abs()) - y * z).mean()
    ),
    "min(z, 0) stands where max(z, 0) belongs: clamp(min=0) is max(z, 0)": (
        lambda z, y: (z.clamp(max=0) + F.softplus(-z.abs()) - y * z).mean()
    ),
    "exp gets -z in log(1 + exp(z))": lambda z, y: (F.softplus(-z) - y * z).mean(),
    "exp gets |z|: the lesson has exp(-|z|), which can't overflow": (
        lambda z, y: (z.clamp(min=0) + torch.log(1 + torch.exp(z.abs())) - y * z).mean()
    ),
    "this is the squared error of the probabilities": (
        lambda z, y: (torch.sigmoid(z) - y).square().mean()
    ),
    "log has the base 2 or 10 here: torch.log is the natural one": (
        lambda z, y: naive(z, y, log=torch.log2)
    ),
    "exp(10000) is infinite and log(0) is -inf: work on the logits, with max(z, 0) + log(1 +"
    " exp(-|z|))": naive,
    "clamp, or a tiny number inside log, caps the loss: a wrong answer of 10000 has to cost 10000,"
    " a right one 0": [
        *(lambda z, y, e=e: naive(z, y, change=lambda p: p.clamp(e, 1 - e)) for e in TINY[:4]),
        *(lambda z, y, e=e: naive(z, y, log=lambda p: torch.log(p + e)) for e in TINY),
        *(lambda z, y, e=e: naive(z, y, log=lambda p: torch.log(p.clamp(min=e))) for e in TINY),
        *(lambda z, y, b=b: each(z.clamp(-b, b), y).mean() for b in CAPS),
        *(lambda z, y, b=b: (F.softplus(z.clamp(max=b)) - y * z).mean() for b in CAPS),
    ],
    "log(1 + exp(z)) is infinite for a large z: max(z, 0) + log(1 + exp(-|z|)) is the same, and"
    " safe": lambda z, y: (torch.log(1 + torch.exp(z)) - y * z).mean(),
}


def each(z, y):
    """The loss of each entry."""
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def counts(y_true, y_pred):
    """How many 1s were found, said in vain and missed, and how many 0s were right."""
    right, said = y_true.flatten() == 1, y_pred.flatten() == 1
    pairs = (right & said, ~right & said, right & ~said, ~right & ~said)
    return [each.sum().item() for each in pairs]


def of_counts(figure, otherwise=0.0):
    """A figure of these four counts; where it would divide by zero, it is another."""

    def compute(y_true, y_pred):
        try:
            return float(figure(*counts(y_true, y_pred)))
        except ZeroDivisionError:
            return otherwise

    return compute


def stretched(figure):
    """The figure of labels and answers that were broadcast to (n, n)."""
    return lambda y_true, y_pred: figure(*torch.broadcast_tensors(y_true, y_pred))


RIGHT = {
    "accuracy": of_counts(lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn)),
    "f1": of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn)),
}
HALF = "this is computed in the labels' dtype, and half precision holds few digits: .float() first"
STRETCHED = (
    "(n, 1) and (n,) were broadcast to (n, n): give both the same shape first, with flatten() or"
    " reshape(-1)"
)
WRONG = {
    "accuracy": {
        "y_true - y_pred is 255 for 0 and 1 in uint8, and never negative: compare with ==": (
            lambda y_true, y_pred: (
                1 - (y_true.flatten() - y_pred.flatten()).abs().float().mean().item()
            )
        ),
        HALF: lambda y_true, y_pred: (
            (y_true.flatten() == y_pred.flatten()).to((1.0 * y_true).dtype).mean().item()
        ),
        "this is the number of right answers: divide by how many there are": [
            of_counts(lambda tp, fp, fn, tn: tp + tn),
            lambda y_true, y_pred: sum(counts(y_true, y_pred)[::3]),
        ],
        "this is the share of wrong answers": of_counts(
            lambda tp, fp, fn, tn: (fp + fn) / (tp + fp + fn + tn)
        ),
        "this is a share among the 1s only: right 0s count as well": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fn)
        ),
        "this is a share among the answers 1 only, the precision": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fp)
        ),
        "only the right 1s are counted: right 0s count as well": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fp + fn + tn)
        ),
        "only the right 0s are counted: right 1s count as well": of_counts(
            lambda tp, fp, fn, tn: tn / (tp + fp + fn + tn)
        ),
        "these are percent: the share is a number from 0 to 1": of_counts(
            lambda tp, fp, fn, tn: 100 * (tp + tn) / (tp + fp + fn + tn)
        ),
        "this is F1": RIGHT["f1"],
    },
    "f1": {
        "this is the accuracy: F1 looks at class 1 alone": RIGHT["accuracy"],
        HALF: [
            lambda y, said, of=of: float(
                torch.tensor(2 * counts(y, said)[0]) / (of(y.sum() + said.sum()) or 1)
            )
            for of in (float, torch.clone)
        ],
        "TP has the right 0s in it: TP are the 1s that were found": of_counts(
            lambda tp, fp, fn, tn: 2 * (tp + tn) / (2 * (tp + tn) + fp + fn)
        ),
        "this is the precision alone, TP / (TP + FP)": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fp)
        ),
        "this is the recall alone, TP / (TP + FN)": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fn)
        ),
        "this is the plain mean of precision and recall; F1 is 2 P R / (P + R)": of_counts(
            lambda tp, fp, fn, tn: (tp / (tp + fp) + tp / (tp + fn)) / 2
        ),
        "this is precision times recall; F1 is 2 P R / (P + R)": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fp) * tp / (tp + fn)
        ),
        "the 2 is missing above: F1 is 2 TP / (2 TP + FP + FN)": of_counts(
            lambda tp, fp, fn, tn: tp / (2 * tp + fp + fn)
        ),
        "the 2 is missing below: F1 is 2 TP / (2 TP + FP + FN)": of_counts(
            lambda tp, fp, fn, tn: 2 * tp / (tp + fp + fn)
        ),
        "TP counts only once here: F1 is 2 TP / (2 TP + FP + FN)": of_counts(
            lambda tp, fp, fn, tn: tp / (tp + fp + fn)
        ),
        "0s that were rightly called 0 are counted as FP or FN: FP are 0s that were called 1, FN"
        " are 1s that were missed": [
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + tn)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + tn + fn)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn + tn)),
        ],
        "without brackets, 2 * TP / 2 * TP + FP + FN divides by 2 alone: 2 * TP / (2 * TP + FP +"
        " FN)": [
            of_counts(lambda tp, fp, fn, tn: tp * tp + fp + fn),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp) + fp + fn),
        ],
        "FP, or FN, has the TP in it: FP are 0s that were called 1, FN are 1s that were missed": [
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (3 * tp + fp + fn)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (4 * tp + fp + fn)),
        ],
        "FP, or FN, is counted with a minus: both are numbers of examples, 0 or more": [
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp - fn)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp - fp + fn)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp - fp - fn)),
        ],
        "FP, or FN, is left out below: F1 is 2 TP / (2 TP + FP + FN)": [
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp)),
            of_counts(lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fn)),
        ],
        "this is the F1 of class 0: count the 1s": of_counts(
            lambda tp, fp, fn, tn: 2 * tn / (2 * tn + fp + fn)
        ),
        "this is the mean of both classes' F1: count the 1s alone": of_counts(
            lambda tp, fp, fn, tn: tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn)
        ),
        "0 / 0 is NaN: where there is no 1 at all, F1 is 0": of_counts(
            lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn), otherwise=float("nan")
        ),
        "where there is no 1 at all, F1 is 0 and not 1": of_counts(
            lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn), otherwise=1.0
        ),
    },
}


def answers(share):
    """Right labels, a share of them 1, and answers: of every kind there is another number."""
    found, in_vain, missed = 3 + torch.randperm(9)[:3]
    rest = int((found + missed) * (1 - share) / share) + 13
    pairs = [(1, 1)] * found + [(0, 1)] * in_vain + [(1, 0)] * missed + [(0, 0)] * rest
    return torch.tensor(pairs)[torch.randperm(len(pairs))].T


def drawn(*shares):
    """Labels and answers with these shares of 1s, by name."""
    return {f"labels, {share:.0%} of them 1": [*answers(share)] for share in shares}
