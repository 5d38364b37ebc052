# class:     secrets in the environment
# attack:    secrets in the environment, in home folders, of the machine
# contained: an environment made on purpose, a view of little
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import os

SEEN = [
    name
    for name in os.environ
    if any(word in name.upper() for word in ("TOKEN", "KEY", "SECRET", "SSH", "CANARY"))
]
for name in (
    "/root",
    "/home",
    "/etc/shadow",
    "/etc/passwd",
    "/etc/machine-id",
    "/var/run/docker.sock",
    "/run/secrets",
):
    try:
        SEEN += (
            [name]
            if os.path.isfile(name)
            else [f"{name}/{entry}" for entry in os.listdir(name) if entry != ".pyenv"]
        )
    except OSError:
        pass
if SEEN:
    raise SystemExit(f"seen {SEEN}")
