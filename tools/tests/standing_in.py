"""Stand-ins on loopback for what a setup meets: indexes of packages with small wheels, a proxy, and
a checkout to set up.
"""

import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dojo.bootstrap.packages import Paths, installed

TAG = f"cp3{sys.version_info.minor}"
Reply = Callable[[BaseHTTPRequestHandler, bytes], object]


def wheel(name: str, version: str, needs: tuple[str, ...] = (), code: str = "") -> bytes:
    """A wheel that holds one module."""
    at = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code or f"version = {version!r}\n",
        f"{at}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {need}\n" for need in needs),
        f"{at}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{at}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{at}/RECORD"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return packed.getvalue()


def own_tags() -> str:
    """The tags of a wheel for this Python on this system alone."""
    ask = "from pip._vendor.packaging.tags import sys_tags; print(next(sys_tags()))"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def send(handler: BaseHTTPRequestHandler, body: bytes, kind: str = "text/html") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@dataclass
class Index:
    """An index of packages: /FOLDER/NAME/ lists the files of a package, /FOLDER/files/ has them."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)  # FOLDER/NAME of a file → its bytes
    hashes: dict[str, str] = field(default_factory=dict)  # those that are wrong
    replies: dict[str, Reply] = field(default_factory=dict)  # path → another way to answer
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.port}/{folder}"

    def add(self, folder: str, file: str, content: bytes) -> str:
        """Put a wheel into a folder, and return its hash."""
        self.files[f"{folder}/{file}"] = content
        return hashlib.sha256(content).hexdigest()

    def page(self, folder: str, package: str) -> bytes | None:
        """The list of a package's files; None if it has none."""
        links = []
        for path, content in self.files.items():
            if path.startswith(f"{folder}/{package.replace('-', '_')}-"):
                name = path.partition("/")[2]
                digest = self.hashes.get(path) or hashlib.sha256(content).hexdigest()
                links.append(f'<a href="/{folder}/files/{name}#sha256={digest}">{name}</a><br>')
        return "\n".join(["<!DOCTYPE html><html><body>", *links]).encode() if links else None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(handler.path).path).strip("/")
        self.asked.append(path)
        folder, _, rest = path.partition("/")
        is_file = rest.startswith("files/")
        body = (
            self.files.get(f"{folder}/{rest.removeprefix('files/')}")
            if is_file
            else self.page(folder, rest)
        )
        try:
            if reply := self.replies.get(path):
                reply(handler, body or b"")
            elif body is None:
                handler.send_error(404)
            else:
                send(handler, body, "application/zip" if is_file else "text/html")
        except OSError:  # pip has given up
            handler.close_connection = True


@contextmanager
def served() -> Iterator[Index]:
    """An index that listens on loopback."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.answer(self)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield index
    finally:
        index.ended.set()
        server.shutdown()
        server.server_close()


def checkout(root: Path, pins: dict[str, str]) -> Paths:
    """A checkout that needs torch and `tiny`, and pins what it is told: file of pins → text."""
    (root / "tools" / "pins").mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = ["torch>=2.6", "tiny>=1.0"]\n'
        "[project.optional-dependencies]\nvalidate = []\n"
    )
    for name, text in {"torch": "torch==2.13.0\n", "core": "", "cuda": ""}.items():
        (root / "tools" / "pins" / f"{name}.txt").write_text(pins.get(name, text))
    return Paths(root)


def made_venv(folder: Path) -> Path:
    """A virtual environment with pip, to be copied: making one takes long."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


def has(paths: Paths) -> dict[str, str]:
    """Package → version of what .venv has."""
    return installed(paths.packages)
