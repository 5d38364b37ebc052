"""Grading: from a folder of submissions to verdicts that their authors could not have forged.

intake/     entries of a folder become submissions: known kata files, nothing else
sandbox/    where submitted code runs
exam/       questions put to the submission and to the reference, and the comparison of their answers
gradebook/  what was decided, kept so that no crash can lose it
records     the words they share
"""
