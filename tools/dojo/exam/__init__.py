"""The exam: the same questions, on fresh data, to a submission (confined) and to the reference
(trusted).

    question, draw   what a file of reference/exams is written with
    values, wire     answers as plain values, and the messages that carry them
    random_numbers   are these random numbers of a distribution?
    written_out      is a function written by hand? Read from the submission's source
    job              what the submission's process is asked to do
    answering        the submission's side: it asks, and judges nothing
    sheet            a drawn exam: what is handed out, the reference's answers, what is hidden; and
                     its trial in this process, on solutions of our own
    comparisons      of answers; for a training, training_steps also follows its steps
    examiner         asks a submission in another process the questions of a sheet
    sheet_pool       the sheets of a grading run
    fake_devices     machines that are not there, for questions about devices

A file of reference/exams needs only the names below.
"""

from dojo import structure
from dojo.exam import random_numbers, training_steps, written_out
from dojo.exam.comparisons import equal_as, every, formed, reaches, same, within
from dojo.exam.draw import Draw
from dojo.exam.question import question
from dojo.exam.values import live
from dojo.suite import called
from dojo.training import passes

__all__ = [
    "Draw",
    "called",
    "equal_as",
    "every",
    "formed",
    "live",
    "passes",
    "question",
    "random_numbers",
    "reaches",
    "same",
    "structure",
    "training_steps",
    "within",
    "written_out",
]
