"""The exam: the same questions, on fresh data, to a submission (confined) and to the reference
(trusted).

    question, draw   what a file of reference/exams is written with
    values, wire     answers as plain values, and their way over a pipe
    answering        the submission's side: it asks, and judges nothing
    sheet            a question's draw: what is handed out, the reference's answer, what is hidden
    judges, steps    the comparison; for a training, whether its steps follow the loss's gradient
    examiner         puts a sheet to a submission in another process
    trial            the same in this process, for solutions of our own

A file of reference/exams needs only the names below.
"""

from dojo.exam import steps
from dojo.exam.draw import Draw
from dojo.exam.judges import every, reaches, same, within
from dojo.exam.question import question

__all__ = ["Draw", "every", "question", "reaches", "same", "steps", "within"]
