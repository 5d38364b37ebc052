"""How a child process starts.

forking   starts child processes: forked where the system allows it, anew elsewhere
spare     processes that wait for their turn, with everything imported
channel   messages to and from code that may do anything
"""
