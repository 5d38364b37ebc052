"""The warm process: it has everything imported, and judges for the commands of one clone.

fingerprint  what a warm process has imported, as a text: another one means that it is stale
rendezvous   the private folder in which the warm processes of one clone can be found
server       the warm process, which judges for whoever asks
keeper       starts the warm process, and a new one when it is stale or gone; ends it with its owner
client       asks a warm process; judges in its own processes where none is there
"""
