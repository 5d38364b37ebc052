"""The setup against indexes, proxies and settings that are there, absent, slow or wrong: what is
installed, and the one sentence that is said. Everything is the real pip in a real .venv; the
packages are small, and made here.
"""

import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import standing_in
from standing_in import TAG, Index, has, own_tags, wheel

from dojo.bootstrap import builds, pip, sentences, venv
from dojo.bootstrap.packages import Paths, SetupError

CPU = "torch-2.13.0+cpu"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return standing_in.made_venv(tmp_path_factory.mktemp("venv") / "template")


@pytest.fixture(scope="module")
def tags() -> str:
    return own_tags()


@pytest.fixture
def index() -> Iterator[Index]:
    with standing_in.served() as index:
        yield index


@pytest.fixture
def paths(tmp_path, template, index, tags, monkeypatch) -> Paths:
    """A checkout on Linux without a GPU; PyPI and the index of CPU builds are stand-ins."""
    for name in list(os.environ):
        if re.match(r"(?i)pip_|(https?|all|no)_proxy$|torch_katas", name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", index.url("pypi"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, index.url("cpu"))
    monkeypatch.setattr(builds, "LINUX", True)
    monkeypatch.setattr(builds, "driver", lambda: None)
    monkeypatch.setattr(venv, "FIRST_IMPORT", "import torch, tiny")
    nvidia = wheel("nvidia_tiny", "1.0")
    digests = {
        "tiny": index.add("pypi", "tiny-1.0-py3-none-any.whl", wheel("tiny", "1.0")),
        "nvidia-tiny": index.add("pypi", "nvidia_tiny-1.0-py3-none-any.whl", nvidia),
    }
    index.add("cpu", f"{CPU}-{tags}.whl", wheel("torch", "2.13.0+cpu", ("tiny",)))
    cuda = wheel("torch", "2.13.0", ("tiny", "nvidia-tiny==1.0; platform_system != ''"))
    index.add("pypi", f"torch-2.13.0-{tags}.whl", cuda)
    pins = {name: f"{name}==1.0 --hash=sha256:{digest}\n" for name, digest in digests.items()}
    made = standing_in.checkout(
        tmp_path / "a copy", {"core": pins["tiny"], "cuda": pins["nvidia-tiny"]}
    )
    shutil.copytree(template, made.venv, symlinks=True)
    return made


def refused(paths: Paths, asked: str | None = None) -> str:
    """What a setup that fails says: one sentence or a few, nothing of pip's own."""
    with pytest.raises(SetupError) as told:
        venv.set_up(paths, asked=asked)
    said = str(told.value)
    assert venv.state_of(paths) != "ready"
    assert "\n" not in said and not re.search(r"ERROR|ResolutionImpossible|Traceback", said)
    return said


def test_without_a_gpu_the_cpu_build_comes_from_its_own_index(paths, index, capsys):
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu" and has(paths)["tiny"] == "1.0"
    assert "nvidia-tiny" not in has(paths)
    assert not [path for path in index.asked if path.startswith("pypi/files/torch")]
    said = capsys.readouterr().err.splitlines()
    announced = f"  torch 2.13.0, the CPU build (no NVIDIA GPU was found): {builds.CPU_ON_LINUX}"
    assert said[1] == announced
    assert venv.state_of(paths) == "ready"


def test_with_a_gpu_the_build_for_cuda_and_its_libraries_come(paths, capsys, monkeypatch):
    monkeypatch.setattr(builds, "driver", lambda: "580.65.06")
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0" and has(paths)["nvidia-tiny"] == "1.0"
    said = capsys.readouterr().err
    assert f"the CUDA build (for the NVIDIA GPU): {builds.CUDA_ON_LINUX}" in said


def test_another_build_takes_the_place_of_the_first(paths, capsys):
    venv.set_up(paths)
    (paths.venv / "mine").write_text("x")
    assert venv.state_of(paths, asked="cpu") == "ready"
    assert venv.state_of(paths, asked="cuda") == "exchange"
    venv.set_up(paths, asked="cuda")
    assert has(paths)["torch"] == "2.13.0" and has(paths)["nvidia-tiny"] == "1.0"
    assert venv.state_of(paths) == "ready"  # what was asked for stays until another is
    venv.set_up(paths, asked="cpu")
    assert has(paths)["torch"] == "2.13.0+cpu" and "nvidia-tiny" not in has(paths)
    assert (paths.venv / "mine").exists()
    assert capsys.readouterr().err.count("Exchanging torch in .venv") == 2


def test_a_configured_folder_of_wheels_serves_the_cpu_build(paths, index, tmp_path, monkeypatch):
    name = next(name for name in index.files if name.startswith(f"cpu/{CPU}"))
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / name.removeprefix("cpu/")).write_bytes(index.files.pop(name))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, NOWHERE)
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu"


def trickle(index: Index):
    """A page that never ends, a byte at a time."""

    def reply(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        while not index.ended.wait(0.1):
            handler.wfile.write(b" ")

    return reply


def silent(index: Index):
    """No answer at all."""
    return lambda handler, body: index.ended.wait()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("refused", "the index can't be reached"),
        ("unknown name", "the index's name is not known here"),
        ("not https", "pip does not trust an index whose address is not https"),
        ("silent", "nothing more came from the index"),
        ("empty", "it has none for this Python on this system"),
    ],
)
def test_without_the_index_of_cpu_builds_the_default_one_is_used_and_its_size_said(
    paths, index, monkeypatch, capsys, how, why
):
    monkeypatch.setattr(pip, "SECONDS_OF_SILENCE", 1)
    if how == "silent":
        index.replies["cpu/torch"] = silent(index)
    if how == "empty":
        index.files = {name: body for name, body in index.files.items() if "cpu" not in name}
    address = {
        "refused": NOWHERE,
        "unknown name": "https://torch-katas.invalid",
        "not https": "http://torch-katas.invalid",
    }.get(how)
    if address:
        monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, address)
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0" and has(paths)["nvidia-tiny"] == "1.0"
    said = capsys.readouterr().err
    assert f"No CPU build from {address or index.url('cpu')}: {why}." in said
    instead = "Instead torch 2.13.0 from pip's own index, with CUDA"
    assert f"{instead}: {builds.CUDA_ON_LINUX}" in said


def test_a_page_that_trickles_is_not_waited_for(paths, index, monkeypatch):
    """pip's limit on silence would let it go on forever."""
    monkeypatch.setattr(pip, "SECONDS_FOR_A_PAGE", 2)
    index.replies["cpu/torch"] = trickle(index)
    offer = pip.offered(paths, "torch", "2.13.0", "--index-url", index.url("cpu"))
    assert not offer.versions and "timed out" in offer.printed


def test_the_disk_is_asked_again_where_another_build_comes(paths, index, monkeypatch):
    monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, NOWHERE)
    asked = builds.CPU_ON_LINUX
    usage = shutil.disk_usage(paths.root)._replace(free=(asked.disk + asked.download + 100) * 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert re.search(r"about 8\.4 GB of disk space .* 1\.5 GB is free: make room", refused(paths))
    assert not [path for path in index.asked if "/files/" in path]


def test_an_index_that_falls_silent_in_a_file_is_said(paths, index, tags, monkeypatch):
    def half(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        index.ended.wait()

    monkeypatch.setenv("PIP_TIMEOUT", "1")
    index.replies[f"cpu/files/{CPU}-{tags}.whl"] = half
    assert "nothing more came from the index" in refused(paths)
    index.replies.clear()
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu"


def test_a_slow_download_that_moves_has_no_limit(paths, index, tags, monkeypatch):
    def slow(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for at in range(6):  # longer in all than the limit on silence
            part = slice(at * len(body) // 6, (at + 1) * len(body) // 6)
            handler.wfile.write(body[part])
            index.ended.wait(0.3)

    monkeypatch.setenv("PIP_TIMEOUT", "1")
    index.replies[f"cpu/files/{CPU}-{tags}.whl"] = slow
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu"


@pytest.mark.parametrize("package", ["torch", "tiny"])
def test_a_file_that_is_not_what_was_promised_is_not_installed(paths, index, tags, package):
    file = {"torch": f"cpu/{CPU}-{tags}.whl", "tiny": "pypi/tiny-1.0-py3-none-any.whl"}[package]
    promised = index.files[file]
    index.hashes[file] = hashlib.sha256(promised).hexdigest()
    index.files[file] = wheel(package, "2.13.0+cpu" if package == "torch" else "1.0", code="evil=1")
    said = refused(paths)
    assert f"What came for {package} is not the file" in said and "SHA-256" in said
    assert package not in has(paths)
    index.files[file] = promised
    venv.set_up(paths)
    assert package in has(paths)


def test_a_file_that_came_damaged_is_fetched_again_past_the_cache(paths, index, tags):
    name = f"cpu/files/{CPU}-{tags}.whl"

    def damaged_once(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        del index.replies[name]
        handler.send_response(200)
        handler.send_header("Cache-Control", "max-age=1000000")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(bytes(len(body)))

    index.replies[name] = damaged_once
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu" and index.asked.count(name) == 2


def test_no_wheel_for_this_python_names_those_that_have_one(paths, index, tags):
    others = ("cp312", "cp313") if TAG not in ("cp312", "cp313") else ("cp311", "cp314")
    for name in [name for name in index.files if "torch-" in name]:
        del index.files[name]
    for tag in others:
        index.add("pypi", f"torch-2.13.0-{tags.replace(TAG, tag)}.whl", b"")
    said = refused(paths)
    assert re.search(
        r"no torch 2\.13\.0 for this Python \(3\.\d+\), but for Python 3\.\d+, 3\.\d+", said
    )
    assert all(f"3.{tag[3:]}" in said for tag in others)


def test_no_wheel_for_this_system_names_those_that_have_one(paths, index):
    for name in [name for name in index.files if "torch-" in name]:
        del index.files[name]
    for system in ("win_arm64", "macosx_14_0_x86_64", "manylinux_2_28_riscv64"):
        index.add("pypi", f"torch-2.13.0-{TAG}-{TAG}-{system}.whl", b"")
    said = refused(paths)
    assert "There is no torch 2.13.0 for this system" in said
    assert "Linux on riscv64 with glibc 2.28 or newer" in said and "64-bit Windows (arm64)" in said


def test_a_mirror_without_torch_is_named_as_the_reason(paths, index):
    for name in [name for name in index.files if "torch-" in name]:
        del index.files[name]
    assert "The index that pip uses here has no torch 2.13.0" in refused(paths)


def test_a_mac_with_an_intel_processor_is_told_what_can_be_done():
    said = sentences.no_torch("2.13.0", [], ("darwin", "x86_64"))
    assert said.startswith("There is no torch 2.13.0 for Macs with an Intel processor")
    assert "another machine" in said and "newer than 2.2" in said


def test_a_pinned_version_that_does_not_exist_is_said(paths, index):
    core = paths.pins / "core.txt"
    core.write_text(core.read_text().replace("tiny==1.0", "tiny==66.0"))
    assert "No package tiny==66.0 was found" in refused(paths)


def test_a_constraint_of_pips_own_is_said(paths, tmp_path, monkeypatch):
    (tmp_path / "constraint.txt").write_text("tiny<1\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraint.txt"))
    assert "A constraint in pip's own settings" in refused(paths)


def test_without_any_index_that_setting_is_named(paths, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    said = refused(paths)
    assert "pip is told to use no index (PIP_NO_INDEX" in said and "torch" in said


def test_without_a_network_it_is_said_and_done_at_the_next_run(paths, index, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PIP_INDEX_URL", NOWHERE)
        patch.setenv(builds.CPU_INDEX_VARIABLE, NOWHERE)
        assert "could not be downloaded: the index can't be reached" in refused(paths)
    venv.set_up(paths)
    assert venv.state_of(paths) == "ready"


def test_a_proxy_is_used(paths, index, monkeypatch):
    """The indexes are known to the proxy alone, which here is the stand-in itself."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{index.port}")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.invalid")
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/pypi")
    monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, "http://index.invalid/cpu")
    venv.set_up(paths)
    assert has(paths)["torch"] == "2.13.0+cpu"


def test_a_proxy_that_refuses_is_named(paths, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setenv(builds.CPU_INDEX_VARIABLE, "https://index.invalid/cpu")
    assert "the proxy that your settings name" in refused(paths)


@pytest.mark.parametrize("at", [1, 2])
def test_a_setup_killed_in_an_install_is_done_again(paths, monkeypatch, at):
    """A pip that is killed leaves half a package, which would look complete to the next."""
    real, calls = subprocess.Popen, []

    def killed(command, **named):
        calls.append(command)
        if len([each for each in calls if "install" in each]) == at:
            process = real(command, **named)
            process.kill()
            return process
        return real(command, **named)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", killed)
        refused(paths)
    half = paths.packages[0] / "tiny-1.0.dist-info"
    half.mkdir(exist_ok=True)
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    (half / "RECORD").write_text("")
    (half / "INSTALLER").write_text("pip")
    venv.set_up(paths)
    subprocess.run([paths.python, "-c", "import tiny, torch"], check=True)


def test_a_torch_that_does_not_start_is_said(paths, index, tags):
    broken = wheel("torch", "2.13.0+cpu", code="raise OSError('libgomp.so.1: cannot open')")
    index.add("cpu", f"{CPU}-{tags}.whl", broken)
    assert "do not start on this machine (OSError: libgomp.so.1: cannot open)" in refused(paths)


def test_two_setups_at_once_do_the_work_once(paths, index):
    threads = [threading.Thread(target=venv.set_up, args=(Paths(paths.root),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert venv.state_of(paths) == "ready"
    assert len([path for path in index.asked if path.startswith("cpu/files/")]) == 1
