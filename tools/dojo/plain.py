"""Plain characters for consoles that lack the others. Light: needs nothing but Python."""

import codecs

STAND_INS = {"→": "->", "…": "...", "×": "x", "│": "|", "└": "+", "░": "."}
STAND_INS |= dict.fromkeys("·—–─", "-") | dict.fromkeys("█▀▄", "#")


def register() -> None:
    """Let `errors="plain"` put a plain character where an encoding lacks one."""
    codecs.register_error("plain", _plain)


def plain(text: str, encoding: str) -> str:
    """The text as a console of this encoding can show it."""
    register()
    return text.encode(encoding, "plain").decode(encoding)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(STAND_INS.get(character, "?") for character in text), error.end
