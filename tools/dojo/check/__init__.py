"""For learners: what is green, what is next, what is wrong with it.

commands    the command line
running     runs the suite and shows that it does
watch/      watch mode: one screen that answers every save
overview    the screen of all katas
detail      the screen of one kata
state       what is known of the learner: hints, attempts, outcomes
store       keeps it in .progress.json
hints       which task is meant, and what is open of its hints
docs        where torch's documentation describes what a reference uses
compare     the learner's code of a task beside the reference's
difference  the lines in which two texts differ
update      a newer version, with the learner's work kept
aside       keeps the learner's files aside meanwhile
git         asks git
screens     the screens of hint, compare and update
reset       a kata's file back to its stub
"""
