"""What a suggestion is held against before somebody sees it. Pure.

`gate` lets a suggestion through line by line; `foreign`, `repetition`, `syntax` and `columns` are what it
asks. All of them are conservative: where they cannot tell, the suggestion stands.
"""
