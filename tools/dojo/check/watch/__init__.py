"""Watch mode: one screen, one task, an answer to every save.

model        the state of a session and the events that change it: plain records
transitions  how an event changes the model, and the effects that follow: pure
effects      what a session is to do, and the work for it: hints, comparison, reset, the state
frame        the screen for a model
terminal     shows frames, reads single keys, and leaves the terminal as it was
files        reports which kata files have changed
session      brings them together: events in, frames out
"""
