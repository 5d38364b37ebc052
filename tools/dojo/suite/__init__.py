"""Runs a kata's tests on a target and gives a verdict.

loader    loads a kata's file and says what is wrong with one that can't be loaded
plugin    the pytest plugin: outcomes, messages, limits; the same under `pytest` and under the tools
feedback  from an exception to the message a learner reads
layers    a batch's way through a model, up to the layer where it goes wrong
causes    known errors of torch and Python, and what usually lies behind them
devices   which devices are present, and trainings on another device
drift     how far a device's numbers lie from the CPU's
unit      what a child is asked to judge
child     the child's first steps, light to import
pytest_run  one child process: runs pytest, reports events
preload   what a child needs, imported once before forking
preload_katas  and the packages that katas and tests name
report    what the parent knows of one unit while its children report
launcher  who starts the children
supervisor  the parent: starts children, believes only complete reports, gives verdicts
"""
