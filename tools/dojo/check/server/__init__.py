"""The server: it has everything imported, and runs tests for the commands of one clone.

fingerprint  what a server has imported, as a text: with another one it is stale
rendezvous   the private folder in which the servers of one clone are found
server       the server, and the messages between it and its clients
client       asks a server, one that is there or one that it keeps, or runs the tests itself
"""
