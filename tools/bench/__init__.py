"""For maintainers: what things cost. Figures to look at, never a test.

suite     the time of every kata and test, and the share that is training
feedback  from a save to the verdict in watch mode, beside a cold pytest
grading   a class of made-up students, graded, and killed while it is; the attacks that are tried
"""
