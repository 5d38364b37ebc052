"""The sandbox: a warm process in bubblewrap, which forks a confined child for each run.

The wall is bubblewrap and code of our own, because the warm fork has to happen inside it: torch is
imported once, and each run is a fork of that process, which grades about 16 times as many
submissions in an hour as starting each run cold does. What was considered instead:

nsjail, isolate  start each run cold, and are not in Debian's package lists
pyseccomp        a second system library on the grader's machine, to save a hundred lines
runsc (gVisor)   of 2022 in Debian: trains 1.5 and forks 4 times slower with ptrace, never starts
                 with KVM; it lacks Landlock, and bubblewrap does not start in it: no outer wall
psutil           has no RssAnon and RssShmem; usage reads them without taking a lock of the process
                 that is judged

outside
    launch     the sandbox: a worker whose processes are confined
    link       the line to the warm process: what is asked of it, and what it reports
    isolation  what a trial run found this machine to give, and what to do where it gives too little
    view       what can be seen inside; the command line of bubblewrap
    groups     control groups: what a run's processes take together, limited by the kernel
    stage      where root grades: becomes nobody first, without losing any of the view
inside
    host       the warm process
    trial      a job that attempts to get out
    confine    how a run shuts itself in, step by step, with the help of seccomp and syscalls
    usage      what all processes of a run take together, by looks at them
"""
