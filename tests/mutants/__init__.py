"""Changes the product in small ways, one at a time, and sees whether a test fails.

A tool of its own and no library, for three reasons. cosmic-ray starts a process for each change, which costs
more than the tests of most rooms. mutmut, as it is set up, runs a test several times in one process, which
Hypothesis refuses, and changes functions only: in these rooms much stands in tables and expressions of a
module. And a change that stands in a file is seen by a worker too, which is a process of its own.
"""
