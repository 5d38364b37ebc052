"""A spiral that nobody has seen yet: data for the exams of the katas that train on one."""

import numpy as np

ARMS, BLUR = 3, 0.2  # as in the katas' own
# points of an arm: those of the katas to train on, and enough others to measure an accuracy well
KNOWN, NEW = 350, 1000


def spiral(random: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Three arms, turned and perhaps mirrored, numbered at random and standardized by the points to
    train on.

    Returns:
        What is handed out, for `draw.data`: "features" (1050, 2) float32 and "labels" (1050,) int64
        to train on, and "new" (3000, 2) float32; and what stays hidden: "right" (3000,) int64, the
        labels of the new points.
    """
    turn, side, numbers = (
        random.uniform(0, 2 * np.pi),
        random.choice([-1, 1]),
        random.permutation(ARMS),
    )

    def points(per_arm: int) -> tuple[np.ndarray, np.ndarray]:
        arm, radius = np.repeat(np.arange(ARMS), per_arm), random.random(ARMS * per_arm)
        angle = turn + side * (4 * (arm + radius) + BLUR * random.standard_normal(ARMS * per_arm))
        order = random.permutation(ARMS * per_arm)
        return (radius * [np.sin(angle), np.cos(angle)]).T[order], numbers[arm][order]

    (features, labels), (new, right) = points(KNOWN), points(NEW)
    features, new = (
        (part - features.mean(axis=0)) / features.std(axis=0) for part in (features, new)
    )
    given = {
        "features": features.astype(np.float32),
        "labels": labels.astype(np.int64),
        "new": new.astype(np.float32),
    }
    return given, {"right": right.astype(np.int64)}
