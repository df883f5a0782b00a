"""What a model is told of a notebook, and what is looked at in its answer. Pure: no I/O, no model, no clock.

`fill` makes the prompt of a completion: the notebook around the cursor, in the order in which it is of use.
`probes` is what a kernel is asked, `checks` what a suggestion is held against before somebody sees it.
"""
