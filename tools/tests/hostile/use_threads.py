# class:     threads
# attack:    threads without end
# contained: a limited number of threads; ended from outside where it waits for them
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

import threading
import time

while True:
    threading.Thread(target=time.sleep, args=(3600,)).start()
