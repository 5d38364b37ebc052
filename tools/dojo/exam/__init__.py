"""The exam: the same questions, on fresh data, to a submission (confined) and to the reference (trusted).

    question, draw   what a file of reference/exams is written with
    values, wire     answers as plain values, and their way over a pipe
    answering        the submission's side: it asks, and judges nothing
    sheet            the trusted side's draw of a question: what is handed out, what the reference answers, what stays hidden
    judges, steps    the comparison; of a training also whether its steps follow the gradient of the loss
    examiner         puts a sheet to a submission in another process
    trial            the same in this process, for solutions of our own

A file of reference/exams needs only the names below.
"""

from dojo.exam import steps
from dojo.exam.draw import Draw
from dojo.exam.judges import every, reaches, same, within
from dojo.exam.question import question

__all__ = ["Draw", "every", "question", "reaches", "same", "steps", "within"]
