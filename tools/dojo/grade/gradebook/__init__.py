"""What was decided on each submission, kept so that no crash can lose it.

book       the gradebook: what is asked of it and added to it
file       its SQLite file: one writer, transactions, errors in plain words
documents  from a record to the text that is kept, and back
keys       what a record depends on: unchanged work is not run again
"""

from dojo.grade.gradebook.book import Gradebook, Kept
from dojo.grade.gradebook.file import GradebookError
from dojo.grade.gradebook.keys import key, versions

__all__ = ["Gradebook", "GradebookError", "Kept", "key", "versions"]
