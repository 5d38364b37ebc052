"""The first import of the fork server: Ctrl-C is for the parent alone, which ends this process and
its children.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
