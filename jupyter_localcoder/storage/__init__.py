"""Files on a disk that may be full, slow, shared with other processes, or in the hands of somebody else.

- `atomic`: write a file whole or not at all, and remove what a killed writer left,
- `regular`: open only regular files, so that nothing blocks and nothing is read without end,
- `locks`: one writer at a time, among threads and processes, with a time limit,
- `json_file`: a small versioned JSON file that several processes change, built on the three,
- `processes`: who left a file behind, and whether that process has ended,
- `failures`: what the system says of a write, as an error of ours.

Knows nothing of what the files mean.
"""
