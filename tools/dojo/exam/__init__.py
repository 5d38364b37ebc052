"""The exam: the same questions, on fresh data, to a submission (confined) and to the reference
(trusted).

    question, draw   what a file of reference/exams is written with
    values, wire     answers as plain values, and the messages that carry them
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
from dojo.exam import training_steps
from dojo.exam.comparisons import every, reaches, same, within
from dojo.exam.draw import Draw
from dojo.exam.question import question
from dojo.exam.values import live
from dojo.suite import called
from dojo.training import passes

__all__ = [
    "Draw",
    "called",
    "every",
    "live",
    "passes",
    "question",
    "reaches",
    "same",
    "structure",
    "training_steps",
    "within",
]
