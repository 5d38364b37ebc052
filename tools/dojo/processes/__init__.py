"""How a child process starts.

worker    starts child processes for jobs: the protocol, and plain processes
channel   messages to and from code that may do anything
forking   the contexts and pools of processes, forked where the system allows it
"""
