"""Messages to and from code that may do anything: none makes us wait, and none is larger than we
allow.

The format is that of multiprocessing's connections, which the other side uses: the length in four
bytes, then the message. A pipe of Windows keeps messages apart by itself.
"""

import multiprocessing.connection
import os
import selectors
import struct
import sys
import threading
import time

# what Pipe() and Client() give
if sys.platform == "win32":
    Connection = multiprocessing.connection.PipeConnection | multiprocessing.connection.Connection
else:
    Connection = multiprocessing.connection.Connection

LARGEST = 4 * 1024 * 1024
MOST_IN_ALL = 8 * 1024 * 1024
_HEADER = 4


class TooLarge(ValueError):
    """A message, or all messages together, are more than we take."""


class Channel:
    """Our end of a pipe or socket. Can be given to multiprocessing.connection.wait."""

    def __init__(self, descriptor: int, most_in_all: int = MOST_IN_ALL) -> None:
        if sys.platform != "win32":
            os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor
        self._to_come = most_in_all
        self._begun = bytearray()

    def fileno(self) -> int:
        if self._descriptor is None:
            raise OSError("the channel is closed")
        return self._descriptor

    def recv_bytes(self, largest: int = LARGEST) -> bytes:
        """The next message, if all of it has arrived.

        Raises:
            BlockingIOError: it has not; the part that has arrived is kept.
            EOFError, OSError: the other side has ended.
            TooLarge: the message is, or all messages together are.
        """
        self._fill(_HEADER)
        (length,) = struct.unpack("!i", self._begun[:_HEADER])
        if not 0 <= length <= largest:
            raise TooLarge(f"a message of {length} bytes")
        self._fill(_HEADER + length)
        message = bytes(self._begun[_HEADER:])
        self._begun.clear()
        return message

    def receive(self, seconds: float, largest: int = LARGEST) -> bytes:
        """Wait for the next message.

        Raises:
            TimeoutError: it did not arrive in this time.
            EOFError, OSError, TooLarge: as above.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                return self.recv_bytes(largest)
            except BlockingIOError:
                self._wait(selectors.EVENT_READ, end)

    def send(self, message: bytes, seconds: float) -> None:
        """Send a message; wait until the other side has read all but what the pipe can hold.

        Raises:
            TimeoutError: it was not read in this time.
            OSError: the other side has ended.
        """
        end = time.monotonic() + seconds
        rest = memoryview(struct.pack("!i", len(message)) + message)
        while rest:
            try:
                rest = rest[os.write(self.fileno(), rest) :]
            except BlockingIOError:
                self._wait(selectors.EVENT_WRITE, end)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _fill(self, length: int) -> None:
        while len(self._begun) < length:
            if not (part := os.read(self.fileno(), length - len(self._begun))):
                raise EOFError
            self._begun += part
            self._to_come -= len(part)
            if self._to_come < 0:
                raise TooLarge("more in all than is allowed")

    def _wait(self, event: int, end: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno(), event)
            if not selector.select(max(end - time.monotonic(), 0)):
                raise TimeoutError


class PipeChannel(Channel):
    """The same for a pipe of Windows, which is no descriptor."""

    def __init__(self, pipe: Connection, most_in_all: int = MOST_IN_ALL) -> None:
        self._pipe, self._to_come = pipe, most_in_all

    def fileno(self) -> int:
        return self._pipe.fileno()

    def recv_bytes(self, largest: int = LARGEST) -> bytes:
        if not self._pipe.poll():
            raise BlockingIOError
        most = min(largest, self._to_come)
        try:
            message = self._pipe.recv_bytes(most)
        except OSError as error:
            if error.errno is None and not isinstance(error, EOFError):  # a bad message length
                raise TooLarge(f"a message of more than {most} bytes") from None
            raise
        self._to_come -= len(message)
        return message

    def receive(self, seconds: float, largest: int = LARGEST) -> bytes:
        if not self._pipe.poll(seconds):
            raise TimeoutError
        return self.recv_bytes(largest)

    def send(self, message: bytes, seconds: float) -> None:
        failures: list[Exception] = []

        def write() -> None:  # it takes until the other side reads, and knows no time
            try:
                self._pipe.send_bytes(message)
            except Exception as error:
                failures.append(error)

        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            raise TimeoutError
        if failures:
            raise OSError(str(failures[0])) from failures[0]

    def close(self) -> None:
        self._pipe.close()
