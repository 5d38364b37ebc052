"""From a folder of submissions to the kata files in them, and to nothing else.

Nothing is ever unpacked: what is taken is read into memory, within bounds, whatever a header
claims.

entries   the entries of the folder: whose they are
strays    what in the folder is nobody's submission
reading   what is read from one of them
names     from names to students' ids and to paths that can be trusted
choose    which of the files found are taken, and why the others are not
near      whether a name is meant as that of a kata's file
left      what is told of files that may be what should have been graded
listing   the list of what was not taken
folders, zips, tars   what lies in each kind of submission
bounds    how much is read at most
crowd     how much may lie in an archive
"""

from dojo.grade.intake.entries import Entry, Intake, IntakeError, look
from dojo.grade.intake.names import DEFAULT_PATTERN

__all__ = ["DEFAULT_PATTERN", "Entry", "Intake", "IntakeError", "look"]
