"""Importing this preloads what the tests of all katas need: a fork server takes module names."""

from dojo.suite import preload

preload.preload_tests(preload.of_katas())
