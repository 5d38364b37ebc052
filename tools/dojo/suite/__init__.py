"""Runs a kata's tests on a target and gives a verdict.

loader    loads a kata's file and says what is wrong with one that can't be loaded
plugin    the pytest plugin: outcomes, messages, limits; the same under `pytest` and under the tools
printed   what the learner's code printed, as much of it as a person reads
feedback  from an exception to the message a learner reads
layers    a batch's way through a model, up to the layer where it goes wrong
source/   beginners' mistakes, read in the learner's own source
syntax    what is wrong with a file that is not Python
causes    known errors of torch and Python, and what usually lies behind them
leftovers  what a kata changes for the whole process: put back, and said
called    whose functions a piece of code calls
pretended  a GPU where there is none: what would be put there?
devices   which devices are present, and trainings on another device
drift     how far a device's numbers lie from the CPU's
spoiled   references made wrong off the CPU: does their placement test notice?
twins     the same call once more on the CPU
unit, job  what a run of one kata is to do, and a child that takes some of them
pytest_run  one child process: runs pytest, reports events
report    the events, and what the parent makes of them
preload   what children need, imported once before forking; preload_tests and preload_katas do it
endings   what is said of a test whose process ended before its time
untouched  a file that is still its stub, whose fault nothing is
supervisor  the parent: starts children, believes only complete reports, gives verdicts
"""
