"""The learner's editor is the one they chose, and it opens the file at the line."""

from pathlib import Path

import pytest

from dojo.check.editor import editing

FILE = Path("/k/k06.py")


@pytest.mark.parametrize(
    ("environment", "command", "in_terminal"),
    [
        ({"VISUAL": "vim"}, ("vim", "+7", "/k/k06.py"), True),
        ({"VISUAL": "nano -w", "EDITOR": "vi"}, ("nano", "-w", "+7", "/k/k06.py"), True),
        ({"EDITOR": "/usr/bin/hx"}, ("/usr/bin/hx", "/k/k06.py:7"), True),
        ({"VISUAL": "code -n"}, ("code", "-n", "-g", "/k/k06.py:7"), False),
        ({"VISUAL": "pycharm"}, ("pycharm", "--line", "7", "/k/k06.py"), False),
        ({"VISUAL": "my-editor"}, ("my-editor", "/k/k06.py"), False),
        ({"VISUAL": "emacs"}, ("emacs", "+7", "/k/k06.py"), True),
        ({"VISUAL": "emacs", "DISPLAY": ":0"}, ("emacs", "+7", "/k/k06.py"), False),
        ({"VISUAL": "emacs -nw", "DISPLAY": ":0"}, ("emacs", "-nw", "+7", "/k/k06.py"), True),
        (
            {"VISUAL": r'"C:\Program Files\Code\bin\code.cmd" -n'},
            (r"C:\Program Files\Code\bin\code.cmd", "-n", "-g", "/k/k06.py:7"),
            False,
        ),
        ({}, ("code", "-g", "/k/k06.py:7"), False),
        ({"VISUAL": " "}, ("code", "-g", "/k/k06.py:7"), False),
    ],
)
def test_it_opens_the_file_at_the_line(environment, command, in_terminal):
    found = editing(environment, lambda name: name == "code", FILE, 7)
    assert (found.command, found.in_terminal) == (command, in_terminal)


def test_without_a_line_it_opens_the_file():
    assert editing({"VISUAL": "vi"}, bool, FILE, 0).command == ("vi", "/k/k06.py")
    assert editing({"VISUAL": "code"}, bool, FILE, 0).command == ("code", "/k/k06.py")


def test_where_there_is_none_there_is_none():
    assert editing({}, lambda name: None, FILE, 7) is None
