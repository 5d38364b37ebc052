"""The commands and options that README and the other docs name are there."""

import re
from collections.abc import Iterator

import click
import pytest
import typer

from dojo import ROOT
from dojo.bootstrap import builds
from dojo.check import commands as check
from dojo.grade import commands as grade
from dojo.validate import commands as validate

DOCS = ("README.md", ".github/CONTRIBUTING.md", "reference/README.md")
APPS = {"check": check.app, "grade": grade.app, "validate": validate.app}
SAID = re.compile(r"python tools/(check|grade|validate)\b([^`\n#|]*)")


def unknown(text: str) -> Iterator[str]:
    """Commands and options in a text that the command lines do not have."""
    for door, rest in SAID.findall(re.sub(r"(?<=\S)\n(?=\S)", " ", text)):
        group = typer.main.get_command(APPS[door])
        assert isinstance(group, click.Group)
        words = rest.split()
        name = next((word for word in words[:1] if word in group.commands), "")
        meant = [group.commands[name]] if name else group.commands.values()
        known = {"--help", "-", builds.FLAG}.union(options(group), *map(options, meant))
        for word in words:
            option = word.strip("[](),.:;").partition("=")[0]
            if option.startswith("-") and option not in known:
                yield f"python tools/{door} {name} has no {option}"
        first = words[0] if words else ""
        is_argument = not name and re.fullmatch(r"k\d\d|\d+|kNN|[.\w]*[/.\[<-].*|[A-Z_.]+", first)
        if first.isalpha() and first.islower() and not name and not is_argument:
            yield f"python tools/{door} has no command {first}"


def options(command: click.Command) -> set[str]:
    """The options of a command."""
    return {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("name", DOCS)
def test_commands_and_options_that_the_docs_name_are_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(SAID.findall(text)) > 1
    assert list(unknown(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "`python tools/check --colour`",
        "`python tools/check lst`",
        "`python tools/grade run --secret-key x`",
        "`python tools/validate mutants --recrd k06`",
        "`python tools/validate\nmarks --record`",
    ],
)
def test_a_command_or_option_that_is_not_there_is_named(text):
    assert list(unknown(text)) != []
