"""What k22's formulas give, and what their known mistakes give: likely cause → its formula."""

import torch
from torch import Tensor
from torch.nn import functional as F


def standard(part: Tensor, train: Tensor) -> Tensor:
    return (part - train.mean()) / train.std()


SCALES = {  # likely cause → what it makes of a part, of all parts
    "mean and std are those of all parts together: take those of train": lambda x, *parts: standard(
        x, torch.cat(parts)
    ),
    "the part is scaled by its own mean and std: take those of train": lambda x, *_: standard(x, x),
    "each pixel has its own mean and std: one of each serves all numbers": lambda x, train, *_: (
        (x - train.mean(dim=0)) / train.std(dim=0)
    ),
    "each image has its own mean and std: one of each serves all numbers": lambda x, *_: (
        ((x.T - x.mean(dim=1)) / x.std(dim=1)).T
    ),
    "the std is the mean of the pixels' own: take the std of all numbers of train": (
        lambda x, train, *_: (x - train.mean()) / train.std(dim=0).mean()
    ),
    "only the mean is subtracted: divide by the std": lambda x, train, *_: x - train.mean(),
    "the mean is not subtracted": lambda x, train, *_: x / train.std(),
    "it is divided by the variance: std is its square root": lambda x, train, *_: (
        (x - train.mean()) / train.var()
    ),
    "brackets are missing: (x - mean) / std": lambda x, train, *_: x - train.mean() / train.std(),
    "train is scaled first, and its new mean and std, 0 and 1, scale the others: note them": (
        lambda x, train, *_: (
            standard(x, train) if x is train else standard(x, standard(train, train))
        )
    ),
    "this is x / 16: mean and std are asked for": lambda x, *_: x / 16,
    "this is x / max: mean and std are asked for": lambda x, train, *_: x / train.max(),
}


def pairs(labels: Tensor, given: Tensor, number: int) -> Tensor:
    return F.one_hot(labels, number).T @ F.one_hot(given, number)


def shares(labels: Tensor, given: Tensor, number: int) -> Tensor:
    right = pairs(labels, given, number)
    return right / right.sum(dim=1, keepdim=True).clamp(min=1)


def of_those_that_occur(labels: Tensor, given: Tensor, number: int) -> Tensor:
    right, known = pairs(labels, given, number), torch.cat([labels, given]).unique()
    return right[known][:, known]


TABLES = {
    "rows and columns are swapped: [class, answer]": lambda *of: pairs(*of).T,
    "each pair counts once at most: table[labels, answers] += 1 adds only once a place": (
        lambda *of: (pairs(*of) > 0).long()
    ),
    "rows and columns are swapped, and each pair counts once at most": (
        lambda *of: (pairs(*of) > 0).long().T
    ),
    "these are shares: the numbers of rows are asked for": shares,
    "these are shares of all rows: the numbers of rows are asked for": (
        lambda labels, *of: pairs(labels, *of) / max(len(labels), 1)
    ),
    "only right answers are counted": lambda *of: pairs(*of).diag().diag(),
    "only wrong answers are counted": lambda *of: pairs(*of) - pairs(*of).diag().diag(),
    "only the classes that occur have a row: each of num_classes has one": of_those_that_occur,
    "the number of classes is written into the code": lambda labels, given, number: pairs(
        labels, given, 10
    ),
}


def surest(scores: Tensor, labels: Tensor, order_by=None) -> Tensor:
    """The wrong rows by the probability of their answer, or by another number."""
    wrong = are_wrong(scores, labels).nonzero().flatten()
    order_by = F.softmax(scores, dim=1).max(dim=1).values if order_by is None else order_by
    return wrong[order_by[wrong].argsort(descending=True)]


def everyone(scores: Tensor, labels: Tensor) -> Tensor:
    return F.softmax(scores, dim=1).max(dim=1).values.argsort(descending=True)


def are_wrong(scores: Tensor, labels: Tensor) -> Tensor:
    return scores.argmax(dim=1) != labels


def by_hand(scores: Tensor) -> Tensor:
    return scores.exp() / scores.exp().sum(dim=1, keepdim=True)


def over_rows(scores: Tensor) -> Tensor:
    return F.softmax(scores, dim=0)


ALL_ROWS = "all rows are here: only wrong answers are asked for"
ORDERS = {
    "these are the places among the wrong rows: wrong[order] gives the row numbers": (
        lambda x, y: everyone(x[are_wrong(x, y)], y)
    ),
    "the least sure answer comes first: descending=True": lambda x, y: surest(x, y).flip(0),
    "the wrong rows are not put in order": lambda x, y: are_wrong(x, y).nonzero().flatten(),
    "a mask comes back, True where an answer is wrong: nonzero() gives the row numbers": are_wrong,
    "nonzero() gives a column: flatten it": lambda x, y: surest(x, y)[:, None],
    ALL_ROWS: everyone,
    "these are the right answers": lambda x, y: everyone(x, y)[~are_wrong(x, y)[everyone(x, y)]],
    "the order is that of the raw scores: its probability says how sure an answer is": (
        lambda x, y: surest(x, y, x.max(dim=1).values)
    ),
    "the order is that of the gap between the two largest scores: take the probability": (
        lambda x, y: surest(x, y, x.topk(2).values.diff().flatten().abs())
    ),
    "the order goes by the probability of the right class: take that of the answer": (
        lambda x, y: surest(x, y, -F.softmax(x, dim=1)[range(len(y)), y])
    ),
    "exp of a score of several hundred is inf, and the probability NaN: F.softmax is safe": (
        lambda x, y: surest(by_hand(x), y, by_hand(x).max(dim=1).values)
    ),
    "the softmax goes over the rows: dim=1 is over the classes": [
        lambda x, y: surest(x, y, over_rows(x).max(dim=1).values),
        lambda x, y: surest(over_rows(x), y, over_rows(x).max(dim=1).values),
    ],
}
