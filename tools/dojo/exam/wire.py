"""Messages over a pipe that one side must not trust: a bounded JSON document and a bounded
safetensors block. No pickle.
"""

import json
from multiprocessing.connection import Connection

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as tensors

from dojo.exam.values import NotPlain, pack, unpack

LARGEST_DOCUMENT = 4 * 1024 * 1024
LARGEST_BLOCK = 64 * 1024 * 1024
MOST_IN_ALL = 256 * 1024 * 1024  # of all answers of a kata
MOST_ARRAYS = 4096
# of a block: what it says of its arrays; all of them are made before they can be counted
LARGEST_HEADER = 256 * MOST_ARRAYS


class Broken(Exception):
    """What arrived is no message; the message of this exception says why."""


def encode(document: dict, **values: object) -> tuple[bytes, bytes]:
    """A document, and values under the names given, as the two parts of a message.

    Args:
        document: what JSON can hold.
    """
    arrays: list[np.ndarray] = []
    packed = {name: pack(value, arrays) for name, value in values.items()}
    block = (
        tensors.save({str(number): array for number, array in enumerate(arrays)}) if arrays else b""
    )
    return json.dumps({**document, "values": packed}).encode(), block


def decode(text: bytes, block: bytes) -> tuple[dict, dict[str, object]]:
    """The document of a message, and its values by name.

    Raises:
        Broken: it is not of the form that `encode` gives it.
    """
    try:
        document = json.loads(text, parse_constant=_no_constant)
        if int.from_bytes(block[:8], "little") > LARGEST_HEADER:
            raise NotPlain("the answer has too many arrays")
        found = tensors.load(block) if block else {}
        arrays = [found[str(number)] for number in range(len(found))]
        if len(arrays) > MOST_ARRAYS:
            raise NotPlain("the answer has too many arrays")
        values = {name: unpack(value, arrays) for name, value in document.pop("values").items()}
    except NotPlain as error:
        raise Broken(f"the reply was not of the agreed form: {error}") from None
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        SafetensorError,
    ) as error:
        raise Broken(f"the reply was not of the agreed form ({type(error).__name__})") from None
    return document, values


def send(connection: Connection, document: dict, **values: object) -> None:
    """Send a message from the submission's side."""
    for part in encode(document, **values):
        connection.send_bytes(part)


def receive(connection: Connection) -> tuple[dict, dict[str, object]]:
    """The next message, on the submission's side."""
    return decode(connection.recv_bytes(), connection.recv_bytes())


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")
