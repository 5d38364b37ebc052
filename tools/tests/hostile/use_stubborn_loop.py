# class:     loops that swallow signals
# attack:    a loop that swallows every signal and exception
# contained: ended from outside
# added to:  stub
# ends:      from outside
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import signal

for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda *arguments: None)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
