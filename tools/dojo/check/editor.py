"""The learner's editor: which it is, and how it opens a file at a line. Pure."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# how editors are told the line, by the name of their program
_PLUS = ("vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "kak", "joe")
_GOTO = ("code", "code-insiders", "codium", "cursor", "windsurf")
_COLON = ("subl", "zed", "zeditor", "hx", "helix", "mate")
_LINE = ("idea", "pycharm", "charm", "kate", "gedit")
# these draw in the terminal, which they need for themselves
_IN_TERMINAL = {"vi", "vim", "nvim", "view", "nano", "pico", "micro", "kak", "joe", "hx", "helix"}


NONE = (
    "No editor is known: put its command into the variable VISUAL, such as `export VISUAL=nano` or"
    ' `export VISUAL="code -n"`.'
)


@dataclass(frozen=True)
class Editing:
    """A command that opens a file.

    Attributes:
        in_terminal: it draws in the terminal, until it ends.
    """

    command: tuple[str, ...]
    in_terminal: bool


def editing(
    environment: Mapping[str, str], has: Callable[[str], object], path: Path, line: int
) -> Editing | None:
    """How the learner's editor opens a file: the one in $VISUAL or $EDITOR, else VS Code, if it is
    there. None if there is none.

    Args:
        has: true for a program that there is, as shutil.which.
        line: 0 if none is known.
    """
    named = environment.get("VISUAL") or environment.get("EDITOR") or ""
    # a backslash parts the folders of a Windows path
    words = [word.strip('"') for word in shlex.split(named, posix="\\" not in named)]
    words = words or (["code"] if has("code") else [])
    if not words:
        return None
    program = words[0].replace("\\", "/").rpartition("/")[2].lower()
    name = program.removesuffix(".exe").removesuffix(".cmd")
    is_emacs = name in ("emacs", "emacsclient")
    has_window = not is_emacs or ("DISPLAY" in environment and not {"-nw", "-t"} & set(words))
    in_terminal = name in _IN_TERMINAL or not has_window
    return Editing((*words, *_place(name, path, line)), in_terminal)


def _place(name: str, path: Path, line: int) -> tuple[str, ...]:
    if not line:
        return (str(path),)
    if name in _PLUS:
        return f"+{line}", str(path)
    if name in _GOTO:
        return "-g", f"{path}:{line}"
    if name in _COLON:
        return (f"{path}:{line}",)
    if name in _LINE:
        return "--line", str(line), str(path)
    return (str(path),)
