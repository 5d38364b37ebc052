"""Importing this preloads what the tests of any kata need: a fork server takes module names."""

from dojo.suite import preload

preload.preload_tests()
