# class:     KeyboardInterrupt
# attack:    KeyboardInterrupt, which ends a run of pytest
# contained: tests that were not judged have not passed
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed


class LogisticRegression(nn.Module):
    def __init__(self, num_labels, num_features):
        raise KeyboardInterrupt


def train(model, features, labels, epochs=1000):
    raise KeyboardInterrupt
