"""Run code in a copy: a fresh process that gets the inputs the code reads, and can change nothing else.

`trial.compare` runs two versions of a cell and says how their results differ; `trial.attempt` runs one. The
kernel's side copies the inputs (`inputs`), starts and watches the processes (`process`) and words the result
(`verdict`). The other side (`child`) isolates itself (`isolation`), runs the code (`running`) or compares two
runs (`comparing`). Values come back to the kernel in no form: what a run has made is read by another isolated
process, because reading a pickle runs code.
"""
