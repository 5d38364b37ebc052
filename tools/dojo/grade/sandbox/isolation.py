"""What stands between submitted code and the machine, as it was found by trying."""

from dataclasses import dataclass


class Unavailable(Exception):
    """No sandbox can be had here; the message is one sentence for the user, saying what to do."""


@dataclass(frozen=True)
class Isolation:
    """What the machine gives.

    Attributes:
        bubblewrap: its version.
        namespaces: those that a run has for itself.
        landlock: the version of its interface; 0 where there is none.
        seccomp: whether system calls are filtered.
        cgroup: whether a control group limits what all processes of a run take together.
    """

    bubblewrap: str
    namespaces: tuple[str, ...]
    landlock: int
    seccomp: bool
    cgroup: bool

    @property
    def text(self) -> str:
        """One line for people."""
        parts = [
            f"bubblewrap {self.bubblewrap}",
            f"namespaces ({', '.join(self.namespaces)})",
            f"Landlock {self.landlock}" if self.landlock else "no Landlock in this kernel",
            "seccomp" if self.seccomp else "no seccomp in this kernel",
            "memory by cgroup" if self.cgroup else "memory by rlimit (no cgroup is delegated)",
        ]
        return "isolated: " + ", ".join(parts)
