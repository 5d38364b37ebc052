"""The messages of an exam, over a pipe that one side must not trust: each is a bounded JSON
document and a bounded safetensors block. No pickle.

First comes Begin, answered by Ready. Then each Ask is answered by Answer, or by Problem with the
same number. End is answered by Closed.
"""

from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import MsgspecError
from safetensors import SafetensorError
from safetensors import numpy as tensors

from dojo.exam.values import NotPlain, pack, unpack
from dojo.processes.channel import Connection

LARGEST_DOCUMENT = 4 * 1024 * 1024
LARGEST_BLOCK = 64 * 1024 * 1024
MOST_ARRAYS = 4096
# bytes of a block's description of its arrays; all of them are made before they can be counted
LARGEST_HEADER = 256 * MOST_ARRAYS


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="message"):
    """One of those below."""


class Begin(Message, frozen=True, tag="begin"):
    """The kata's name, and the text of its exam."""

    kata: str
    exam: str


class Ask(Message, frozen=True, tag="ask"):
    """A question, with what was drawn for it."""

    number: int
    question: str
    seed: int
    values: dict[str, Any]


class End(Message, frozen=True, tag="end"):
    """No more questions."""


class Ready(Message, frozen=True, tag="ready"):
    """The kata's file is loaded."""


class Answer(Message, frozen=True, tag="answer"):
    """The answer to the question of this number."""

    number: int
    values: dict[str, Any]


class Problem(Message, frozen=True, tag="problem"):
    """Why there is no answer to the question of this number, or to any."""

    text: str
    number: int | None = None


class Closed(Message, frozen=True, tag="closed"):
    """No more answers."""


Command = Begin | Ask | End
Reply = Ready | Answer | Problem | Closed
_Known = TypeVar("_Known", Command, Reply)
_REFUSED = (MsgspecError, SafetensorError, RecursionError, ValueError, KeyError, TypeError)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


class Broken(Exception):
    """Something arrived that is no message; this exception's own message says why."""


def encode(message: Message) -> tuple[bytes, bytes]:
    """The two parts of a message."""
    arrays: list[np.ndarray] = []
    if isinstance(message, Ask | Answer):
        values = {name: pack(value, arrays) for name, value in message.values.items()}
        message = msgspec.structs.replace(message, values=values)
    named = {str(number): array for number, array in enumerate(arrays)}
    return msgspec.json.encode(message), tensors.save(named) if named else b""


def decode(text: bytes, block: bytes) -> Reply:
    """A reply, from its two parts. Raises Broken if it is not of the form that encode() gives."""
    return _decode(_replies, text, block)


def _decode(decoder: msgspec.json.Decoder[_Known], text: bytes, block: bytes) -> _Known:
    try:
        message = decoder.decode(text)
        if int.from_bytes(block[:8], "little") > LARGEST_HEADER:
            raise NotPlain("the answer has too many arrays")
        named = tensors.load(block) if block else {}
        arrays = [named[str(number)] for number in range(len(named))]
        if len(arrays) > MOST_ARRAYS:
            raise NotPlain("the answer has too many arrays")
        if isinstance(message, Ask | Answer):
            values = {name: unpack(value, arrays) for name, value in message.values.items()}
            message = msgspec.structs.replace(message, values=values)
    except NotPlain as error:
        raise Broken(f"the reply was not of the agreed form: {error}") from None
    except _REFUSED as error:
        raise Broken(f"the reply was not of the agreed form ({type(error).__name__})") from None
    return message


def send(connection: Connection, message: Message) -> None:
    """Send a reply, on the submission's side."""
    for part in encode(message):
        connection.send_bytes(part)


def receive(connection: Connection) -> Command:
    """The next command, on the submission's side."""
    return _decode(_commands, connection.recv_bytes(), connection.recv_bytes())
