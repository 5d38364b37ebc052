# class:     frames, tracebacks
# attack:    reads what is expected from the frames of the calling test, on the stack or a traceback
# contained: the suite is fooled, the exam is not: it has nothing expected in its frames
# added to:  stub
# ends:      by itself
# suite:     model: passed, train: not started, boundary: not started
# verdict:   model: not verified, train: not started, boundary: not started

import sys


def caught():
    try:
        raise LookupError
    except LookupError as error:
        return error.__traceback__.tb_frame


def expected(name):
    for frame in (sys._getframe(1), caught()):
        while frame is not None:
            if name in frame.f_locals:
                return frame.f_locals[name]
            frame = frame.f_back
    return None


class LogisticRegression(nn.Module):
    def __init__(self, num_labels, num_features):
        super().__init__()
        self.linear, self.sigmoid = nn.Linear(num_features, num_labels), nn.Sigmoid()

    def forward(self, x):
        scores = expected("scores")
        return 0.5 + 0.001 * self.linear(x) if scores is None else torch.sigmoid(scores)
