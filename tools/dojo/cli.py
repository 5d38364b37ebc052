"""What the three command lines share."""

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

# Every command understands it: dojo.bootstrap takes it out of the arguments.
EPILOG = (
    "Also: --torch cpu|cuda|default chooses the build of torch that .venv gets (else"
    " TORCH_KATAS_TORCH, else what fits this machine)."
)
EXIT_UNABLE = 2  # the command could not do its work; the reason is on standard error
HELP = ("-h", "--help")
# Arguments of subprocess for a child that Ctrl-C in the terminal does not reach.
OUT_OF_REACH: dict[str, Any] = {"start_new_session": True}
if sys.platform == "win32":
    OUT_OF_REACH = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def app(run: str, help_text: str = "") -> typer.Typer:
    """A command line with subcommands, one of which may be left out.

    `run` is the command meant where none is named: `check k06` means `check run k06`. Without a
    help_text, --help shows the help of `run`.
    """
    of_group = HELP if help_text else ()

    class RunByDefault(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if not args or (args[0] not in self.commands and args[0] not in of_group):
                args = [run, *args]
            return super().parse_args(ctx, args)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            command = super().get_command(ctx, cmd_name)
            if command and not (command.epilog or "").endswith(EPILOG):
                command.epilog = f"{command.epilog or ''} {EPILOG}".strip()
            return command

    return typer.Typer(
        cls=RunByDefault,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": list(HELP)},
        help=help_text or None,
        epilog=EPILOG,
    )


def main(program: str, command: Callable[..., object], *problems: type[Exception]) -> NoReturn:
    """Run a command line, called as `program`. Every error that a person can cause is one sentence
    and EXIT_UNABLE; that of `problems` is their message.
    """
    try:
        command(prog_name=program)
    except problems as problem:
        unable(problem)
    except OSError as error:
        why = f"{error.filename or 'A file'}: {error.strerror or error}"
        unable(f"{why}. Check that it is there and that you may use it.")
    sys.exit(0)


def end_cleanly() -> None:
    """Let a request to end and a closed terminal clear up as every other end does, so that no
    process and no scratch file is left. A signal that is ignored stays ignored.
    """
    if sys.platform == "win32":
        return
    candidates = (signal.SIGTERM, signal.SIGHUP)
    signals = [number for number in candidates if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: object) -> NoReturn:
        for each in signals:  # a second request must not end the clearing up
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in signals:
        signal.signal(number, end)


def unable(problem: object) -> NoReturn:
    """End with this sentence on standard error and EXIT_UNABLE."""
    sys.stderr.write(f"{problem}\n")
    sys.exit(EXIT_UNABLE)
