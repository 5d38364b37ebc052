"""Continues in a Python that has the packages, and sets one up where there is none.

Only the standard library is imported here: this runs first, in whatever Python the user called.

entering   which Python the command goes on in; --torch
packages   what is asked for (pyproject.toml), what is pinned (tools/pins), what a Python has
builds     the builds of torch: which one fits this machine, how large it is, where it comes from
venv       .venv: how far its setup got, and the setup
pip        what pip is asked, and what it offers
progress   what a setup shows while it goes on
sentences  what is said when a setup fails
"""

from dojo.bootstrap.entering import JUST_SET_UP, enter, go_on_in

__all__ = ["JUST_SET_UP", "enter", "go_on_in"]
