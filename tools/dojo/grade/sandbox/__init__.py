"""Where submitted code runs: a warm process in bubblewrap, which forks a confined child for each
run.

outside
    launch     the sandbox as graders use it: start a run, hear it, end it
    link       the line to the warm process
    suite      starts the children of suite.run in the sandbox
    probe      tries what the machine can give, and says so
    isolation  what was found, as a record and as one line
    view       what can be seen in there; the command line of bubblewrap
    stage      where root grades: becomes nobody first, and nothing of the view gets lost
    cgroup     a limit on all of a run together, where the kernel lets us set one
inside
    host       the warm process
    bodies     what a run does: the suite, the exam, a probe
    confine    how a run shuts itself in, step by step, with the help of
    landlock, seccomp, limits, memory, syscalls
"""
