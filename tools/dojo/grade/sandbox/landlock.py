"""Landlock: a second wall behind the mounts. Files can only be read, but for a few folders; no TCP;
no signals to others.
"""

import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dojo.grade.sandbox import syscalls

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = (
    1 << 0,
    1 << 1,
    1 << 2,
    1 << 3,
    1 << 14,
    1 << 15,
)
READ = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
MAKE_DEVICES = 1 << 6 | 1 << 11  # character and block devices
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # version → how many rights on files it knows
_TCP = 0b11  # bind, connect; from version 4 on
_SCOPES = 0b11  # abstract sockets and signals of others; from version 6 on


def known_rights(version: int) -> int:
    """All rights on files that a version of Landlock knows, as bits."""
    return (1 << _RIGHTS.get(version, _RIGHTS[5])) - 1


def attributes(version: int) -> bytes:
    """What a ruleset is about, in the layout of that version."""
    fields = [
        known_rights(version),
        *([_TCP] if version >= 4 else []),
        *([_SCOPES] if version >= 6 else []),
    ]
    return struct.pack(f"={len(fields)}Q", *fields)


def restrict(writable: Sequence[str]) -> int:
    """Let this process and all that it starts read what it sees, and write only below these paths.

    Returns:
        The version of Landlock; 0 where the kernel has none, and nothing was restricted.
    """
    version = syscalls.landlock_version()
    if not version:
        return 0
    rights = known_rights(version)
    ruleset = syscalls.landlock_ruleset(attributes(version))
    try:
        for path, allowed in [("/", READ), *((path, rights & ~MAKE_DEVICES) for path in writable)]:
            with suppress(FileNotFoundError):
                opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
                try:
                    allowed &= rights if Path(path).is_dir() else rights & OF_FILES
                    syscalls.landlock_allow(ruleset, allowed, opened)
                finally:
                    os.close(opened)
        syscalls.no_new_privileges()
        syscalls.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)
    return version
