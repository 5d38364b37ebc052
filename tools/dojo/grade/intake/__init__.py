"""From a folder of submissions to the kata files in them, and to nothing else.

Nothing is ever unpacked: what is taken is read into memory, within bounds, whatever a header
claims.

entries    the entries of the folder: whose they are, and which are nobody's
reading    reads one of them
folders, archives   the files in each kind of submission
attempts   which of a student's attempts counts
names      whose a file is, which kata's is meant, and whether a path can be trusted, by its name
selection  which of the files found are taken, and why the others are not
notes      the reports of those that were not taken
bounds     how much is read at most
"""

from dojo.grade.intake.entries import Entry, Intake, IntakeError, scan
from dojo.grade.intake.names import DEFAULT_PATTERN

__all__ = ["DEFAULT_PATTERN", "Entry", "Intake", "IntakeError", "scan"]
