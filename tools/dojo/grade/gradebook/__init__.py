"""The records of all submissions, kept so that no crash can lose one.

book   the gradebook: its SQLite file, and what is asked of it and added to it
keys   everything a record depends on: unchanged work is not run again
"""

from dojo.grade.gradebook.book import Gradebook, GradebookError, StoredRecord
from dojo.grade.gradebook.keys import key, versions

__all__ = ["Gradebook", "GradebookError", "StoredRecord", "key", "versions"]
