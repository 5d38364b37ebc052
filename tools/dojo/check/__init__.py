"""For learners: what is green, what is next, what is wrong with it.

commands  the command line
running   runs the suite and shows that it does
overview  the screen of all katas
detail    the screen of one kata
hints     a hint of a task
reset     a kata's file back to its stub
"""
