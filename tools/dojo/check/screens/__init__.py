"""What `check` shows.

overview  all katas
detail    one kata
help      hints, comparisons and updates
"""
