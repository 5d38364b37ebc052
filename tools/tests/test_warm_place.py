"""Where the warm processes of a clone are found, by nobody else."""

import os
import subprocess
import sys
from multiprocessing.connection import Listener

import pytest

from dojo.warm import place

posix = pytest.mark.skipif(os.name == "nt", reason="about signals and sockets of POSIX")
pytestmark = pytest.mark.usefixtures("own_place")


def test_clones_do_not_meet(tmp_path):
    one, other = tmp_path / "a", tmp_path / "b"
    own = place.folder(one) / "1"
    own.mkdir()
    place.put_up(place.Card("here", "00", 1), own)
    assert [card.address for card in place.cards(one)] == ["here"]
    assert list(place.cards(other)) == []


@posix
def test_a_folder_that_others_can_look_into_is_not_used(tmp_path):
    where = place.folder(tmp_path)
    own = where / "1"
    own.mkdir()
    place.put_up(place.Card("here", "00", 1), own)
    where.chmod(0o755)
    with pytest.raises(place.NotPrivate):
        place.folder(tmp_path)
    assert list(place.cards(tmp_path)) == []


@posix
def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path):
    where = place.folder(tmp_path)
    where.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    where.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(place.NotPrivate):
        place.folder(tmp_path)


def test_cards_that_are_broken_are_passed_over(tmp_path):
    for number, text in enumerate(["", "[]", '{"address": 1}', "{"]):
        own = place.folder(tmp_path) / str(number)
        own.mkdir()
        (own / place.CARD).write_text(text)
    assert list(place.cards(tmp_path)) == []


@posix
def test_what_a_killed_process_left_is_swept_away(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = place.folder(tmp_path) / str(ended.pid)
    left.mkdir()
    (left / place.CARD).write_text("{}")
    own = place.own_folder(tmp_path)
    assert not left.exists()
    place.take_down(own)
    assert not own.parent.exists()


@posix
def test_a_socket_fits_however_long_the_folders_name_is(tmp_path, monkeypatch):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    own = place.own_folder()
    try:
        with Listener(place.new_card(own).address):
            pass
    finally:
        place.take_down(own)
