"""Watch mode: one screen, one task, an answer to every save.

events     what happens, and what is then to be done: plain records
model      what is known in a session, and which keys do something
steps      what follows from each event: pure
frame      the screen that shows it
keys       single keys from the terminal
terminal   puts frames on it, and leaves it as it was
files      tells which kata files have changed
deeds      what a session does besides judging: hints, comparison, reset, the learner's state
session    brings them together: events in, frames out
"""
