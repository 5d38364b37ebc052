# class:     daemonised children
# attack:    a daemon that leaves its group and session and lives on
# contained: it ends with the first process
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import os
import signal
import time

if os.fork() == 0:
    os.setpgid(0, 0)
    try:
        os.setsid()
    except OSError:
        pass
    if os.fork() == 0:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(3600)
    os._exit(0)
