"""Reads the learner's own source for beginners' mistakes, once a test has failed.

code       a file as a tree: its names, and what a test can have run of it
models     slips in models: layers, their classes, and the methods of nn.Module
trainings  slips in trainings: losses, optimizers, and the order of the moves
python     slips of Python itself: brackets, loops, names and signs
classics   all of them, with what is said of each
evidence   what is said of a failure, where both the test and the source speak of it
"""
