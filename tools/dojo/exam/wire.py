"""Messages over a pipe that one side must not trust: a bounded JSON document and a bounded safetensors block. No pickle."""

import json
from multiprocessing.connection import Connection

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as tensors

from dojo.exam.values import NotPlain, pack, unpack

LARGEST_DOCUMENT = 4 * 1024 * 1024
LARGEST_BLOCK = 64 * 1024 * 1024
MOST_ARRAYS = 4096


class Broken(Exception):
    """What arrived is no message; the message of this exception says why."""


def send(connection: Connection, document: dict, **values: object) -> None:
    """Send a document, and values under the names given.

    Args:
        document: what JSON can hold.
    """
    arrays: list[np.ndarray] = []
    packed = {name: pack(value, arrays) for name, value in values.items()}
    block = tensors.save({str(number): array for number, array in enumerate(arrays)}) if arrays else b""
    connection.send_bytes(json.dumps({**document, "values": packed}).encode())
    connection.send_bytes(block)


def receive(connection: Connection) -> tuple[dict, dict[str, object]]:
    """The next message: its document, and its values by name.

    Raises:
        Broken: it is too large, or not of the form that `send` gives it.
        EOFError: the other side is gone.
    """
    try:
        text = connection.recv_bytes(LARGEST_DOCUMENT)
        block = connection.recv_bytes(LARGEST_BLOCK)
    except EOFError:
        raise
    except OSError as error:  # also of a message that is longer than allowed
        raise Broken(f"the reply was too large or was broken off ({error})") from None
    try:
        document = json.loads(text, parse_constant=_no_constant)
        found = tensors.load(block) if block else {}
        arrays = [found[str(number)] for number in range(len(found))]
        if len(arrays) > MOST_ARRAYS:
            raise NotPlain("the answer has too many arrays")
        values = {name: unpack(value, arrays) for name, value in document.pop("values").items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise Broken(f"the reply was not of the agreed form ({type(error).__name__})") from None
    return document, values


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")
