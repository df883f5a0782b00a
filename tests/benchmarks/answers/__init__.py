"""What commands answer: is it offered as a change, and is what is offered right?

The product is asked over HTTP, as magics and the page ask it. The same weights are asked plainly, through
`llama_cpp`, with the same notebook pasted. `suites` says what is asked; every answer is run in a process with
limits (`sandbox`) or in a real kernel (`kernels`), and judged by assertions.
"""
