"""Grading: from a folder of submissions to verdicts that their authors could not have forged.

commands     the command line; `run` and `show`
assignment   what is graded: katas, points, limits
intake/      entries of a folder become submissions: known kata files, nothing else
sandbox/     where submitted code runs
workers      the threads that judge, and what is done when a judge fails
gradebook/   what was decided, kept so that no crash can lose it
run          all of it together: what is known is not run again, what is new is kept at once
exports, summary, progress, show   what a person gets to see
records      the words they share
text         what a submission had a hand in, made fit to be shown
"""
