"""Given, not edited: the data of the katas and the pictures of what you make of it."""

from katas.given import _unfinished as _unfinished
