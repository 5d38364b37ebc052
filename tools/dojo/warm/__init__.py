"""Processes that have imported everything once, and the ways to them.

forking      how child processes start: forked where the system allows it, anew elsewhere
spare        where they start anew: one that has everything imported, waiting for its turn
fingerprint  what a warm process has imported, as one text: another one means that it is stale
place        the private folder in which the warm processes of one clone can be found
host         the warm process, which judges for whoever asks
keeper       starts the warm process, and a new one when it is stale or gone; ends it with its owner
ask          asks a warm process; a run of one's own where none is there, or anything is odd
"""
