"""Where the servers of a clone are found, by nobody else."""

import os
import subprocess
import sys
import tempfile
from multiprocessing.connection import Listener
from pathlib import Path

import pytest

from dojo import ROOT
from dojo.check.server import rendezvous
from dojo.processes import forking

posix = pytest.mark.skipif(os.name == "nt", reason="about signals and sockets of POSIX")
pytestmark = pytest.mark.usefixtures("own_place")


def test_clones_do_not_meet(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    own = rendezvous.clone_folder(one) / "1"
    own.mkdir()
    rendezvous.publish(rendezvous.Address("here", "00"), own)
    assert [address.socket for address in rendezvous.addresses(one)] == ["here"]
    assert list(rendezvous.addresses(other)) == []


@posix
def test_a_folder_that_others_can_look_into_is_not_used(tmp_path):
    where = rendezvous.clone_folder(tmp_path)
    own = where / "1"
    own.mkdir()
    rendezvous.publish(rendezvous.Address("here", "00"), own)
    where.chmod(0o755)
    with pytest.raises(rendezvous.NotPrivate):
        rendezvous.clone_folder(tmp_path)
    assert list(rendezvous.addresses(tmp_path)) == []


@posix
def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    where = rendezvous.clone_folder(tmp_path)
    where.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    where.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(rendezvous.NotPrivate):
        rendezvous.clone_folder(tmp_path)


def test_addresses_that_are_broken_are_passed_over(tmp_path):
    for number, text in enumerate(["", "[]", '{"socket": 1}', "{"]):
        own = rendezvous.clone_folder(tmp_path) / str(number)
        own.mkdir()
        (own / rendezvous.ADDRESS).write_text(text)
    assert list(rendezvous.addresses(tmp_path)) == []


@posix
def test_what_a_killed_process_left_is_swept_away(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = rendezvous.clone_folder(tmp_path) / str(ended.pid)
    left.mkdir()
    (left / rendezvous.ADDRESS).write_text("{}")
    own = rendezvous.new_folder(tmp_path)
    assert not left.exists()
    rendezvous.remove(own)
    assert not own.parent.exists()


@posix
@pytest.mark.parametrize("length", [20, 28, 31, 32, 40, 56, 60, 90, 200])
def test_the_sockets_fit_however_long_the_folders_name_is(tmp_path, monkeypatch, length):
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tk") as short:
        long = Path(short) / ("x" * (length - len(short) - 1))
        long.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", "")
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        own = rendezvous.new_folder(tmp_path)
        try:
            servers = own / "pymp-12345678"
            servers.mkdir()
            # other accounts have longer names
            longest = len("4294967295-7654321") - len(f"{os.getuid()}-{os.getpid()}")
            for address in (
                rendezvous.new_address(own).socket,
                f"{servers}/listener-12345678{'x' * longest}",
            ):
                with Listener(address):
                    pass
        finally:
            rendezvous.remove(own)


@pytest.mark.skipif(not forking.can_fork(), reason="about the fork server")
def test_a_fork_server_starts_however_long_the_folders_name_is(tmp_path):
    long = tmp_path / ("long" * 25)
    long.mkdir()
    code = f"""
import sys; sys.path[:0] = [{str(ROOT / "tools")!r}]
from dojo.processes import forking
forking.preloaded = lambda many: "dojo"
if __name__ == "__main__":
    process = forking.context().Process(target=print, args=("started",))
    process.start(); process.join()
    raise SystemExit(process.exitcode)
"""
    known = os.environ | {"TMPDIR": str(long)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=known, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("started\n", 0), done.stderr
    assert list(long.iterdir()) == []
