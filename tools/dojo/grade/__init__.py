"""Grading: from a folder of submissions to verdicts that their authors could not have forged.

commands     the command line: `run` and `show`
assignment   the katas that are graded, their points and limits
intake/      entries of a folder become submissions: known kata files, nothing else
sandbox/     where submitted code runs
judge        the verdict on one submission; judge_pool has the threads that judge
gradebook/   the records, kept so that no crash can lose one
workplace    the temporary files of a run
run          all of it together: valid records stay, what is new is kept at once
summary      the progress of a run, and its sums at the end
show         one record as a screen or as JSON
exports      grades.csv
records      submissions, grades, records; the grades of what nobody judged
text         text of submissions, made fit to be shown and kept
"""
