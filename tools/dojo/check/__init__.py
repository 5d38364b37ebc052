"""For learners: what is green, what is next, what is wrong with it.

commands  the command line
naming    what the names after `check` mean: katas, tasks, or a command that was mistyped
running   runs the suite and shows its progress
screens   what the commands show
watch/    watch mode: one screen that answers every save
state     hints, attempts and outcomes of every task
store     keeps that in .progress.json; the learner's kata files
hints     the open hints of a task, and further reading
closing   what was learned, what took longest and where to go, after the last kata
compare   the learner's code of a task beside the reference's
update    a newer version, with the learner's work kept
aside     keeps the learner's files aside meanwhile
editor    the learner's editor, and how it opens a file at a line
server/   the warm process
"""
