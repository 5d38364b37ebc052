"""The exam: the same questions, on fresh data, to a submission (confined) and to the reference
(trusted).

    question, draw   what a file of reference/exams is written with
    values, wire     answers as plain values, and their way over a pipe
    answering        the submission's side: it asks, and judges nothing
    sheet            a question's draw: what is handed out, the reference's answer, what is hidden
    comparisons      compares answers; for a training, training_steps also follows its steps
    examiner         puts a sheet to a submission in another process
    trial            the same in this process, for solutions of our own

A file of reference/exams needs only the names below.
"""

from dojo.exam import training_steps
from dojo.exam.comparisons import every, reaches, same, within
from dojo.exam.draw import Draw
from dojo.exam.question import question

__all__ = ["Draw", "every", "question", "reaches", "same", "training_steps", "within"]
