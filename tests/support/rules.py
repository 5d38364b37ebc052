"""The rules of optimizers as text, and where they lead: a mistake is a small change of a rule."""

import re
from collections.abc import Mapping

import torch

LR, DECAY, MU, ALPHA, B1, B2, EPS = 0.1, 0.3, 0.8, 0.7, 0.6, 0.8, 0.05
ADAM = """
m = B1 * m + (1 - B1) * g
v = B2 * v + (1 - B2) * g**2
M = m / (1 - B1**t)
V = v / (1 - B2**t)
p = p - lr * M / (V**0.5 + EPS)"""
RULES = {  # of the lesson, as text: a mistake is a small change of it, as in reference/mistakes
    "SGD": "g = g + decay * p\np = p - lr * g",
    "Momentum": "g = g + decay * p\nb = MU * b + g\np = p - lr * b",
    "RMSprop": """g = g + decay * p
v = ALPHA * v + (1 - ALPHA) * g**2
V = v
p = p - lr * g / (V**0.5 + EPS)""",
    "Adam": f"g = g + decay * p{ADAM}",
    "AdamW": f"p = p * (1 - lr * decay){ADAM}",
}
Changes = Mapping[str, str]  # sentence → what its mistake replaces by what: "old => new; ..."


def changed(rule: str, changes: str) -> str:
    """A rule with a mistake."""
    for change in changes.split("; "):
        rule = rule.replace(*change.split(" => "))
    return rule


def late(rule: str, names: str) -> str:
    """The changes that move the first line that begins with each name to the end of the rule."""
    lines = rule.strip().splitlines()
    moved = [next(line for line in lines if line.startswith(name)) for name in names]
    return f"{rule} => " + "\n".join([one for one in lines if one not in moved] + moved)


def simulated(
    rule, starts, given, rates=None, decay=0.0, memory="own", count="own", skipped="", initial=0.0
):
    """The parameters after each step, in a row, by this rule.

    memory: a parameter uses its "own", that of its "position" among those with a gradient, or "one"
    of all; or zip() has "zipped" the last step's memories with those that have one. count: t counts
    its "own" steps, the optimizer's "steps", or those of "all" parameters. skipped: the rule where
    there is no gradient, as if that were 0. initial: what the memory holds at first; None stands
    for a copy of the parameter.
    """
    places, kept, counts, rows, total = [one.clone() for one in starts], {}, {}, [], 0
    most = len(starts)  # memories that zip() has left
    for step, (grads, lr) in enumerate(
        zip(given, rates or [LR] * len(given), strict=True), start=1
    ):
        position, most = 0, min(most, sum(grad is not None for grad in grads))
        for number, grad in enumerate(grads):
            if not (code := skipped if grad is None else rule):
                continue
            if memory == "zipped" and position >= most:
                break
            key = {"own": number, "position": position, "zipped": position, "one": 0}[memory]
            counts[key] = counts.get(key, 0) + bool(re.search(r"\bt\b", code))
            position, total = position + 1, total + 1
            first = starts[number] if initial is None else torch.full((2,), initial)
            names = {one: kept.get((key, one), first) for one in "bmv"}
            names |= {"p": places[number], "g": torch.zeros(2) if grad is None else grad}
            names["t"] = {"own": counts[key], "steps": step, "all": total}[count]
            exec(code, globals() | {"lr": lr, "decay": decay}, names)
            places[number] = names["p"]
            kept |= {(key, one): names[one] for one in "bmv"}
        rows.append(torch.cat(places))
    return torch.stack(rows)
