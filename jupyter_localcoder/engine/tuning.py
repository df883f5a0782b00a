"""How llama.cpp runs a model: the knobs, with when to touch them."""

from __future__ import annotations

from traitlets import Bool, Enum, Float, Integer, Unicode
from traitlets.config import LoggingConfigurable


class Tuning(LoggingConfigurable):
    """Tuning of the engine. The defaults suit most machines; the help texts describe the exceptions."""

    flash_attention = Enum(
        ["auto", "on", "off"],
        "auto",
        config=True,
        help="Flash attention. `auto` enables it on a GPU if llama.cpp supports it, and disables it on the "
        "CPU, where it is slower. Try `off` if a GPU driver crashes: `cache_type` must then be f16. Try "
        "`on` for a very long context on the CPU: it uses less memory.",
    )
    cache_type = Enum(
        ["f16", "q8_0"],
        "f16",
        config=True,
        help="Data type of the KV cache. `q8_0` halves its memory with a small loss of speed and "
        "quality; use it for a long context on a machine with little memory.",
    )
    mlock = Enum(
        ["auto", "on", "off"],
        "auto",
        config=True,
        help="Lock the weights into memory, so that they are never swapped out. `auto` locks them if the "
        "system allows it and half of the free memory remains; use `off` if other programs run short of "
        "memory.",
    )
    mmap = Bool(
        True,
        config=True,
        help="Memory-map the model file instead of reading it. Turn it off on a slow network disk.",
    )
    repack = Bool(
        True,
        config=True,
        help="Repack the weights for this CPU: prompts are processed faster, but up to twice the model size "
        "is used in memory. Turn it off if memory is short.",
    )
    gpu_layers = Integer(
        -1,
        min=-1,
        config=True,
        help="Number of layers to offload to the GPU; -1 offloads all. Use fewer if the model does not "
        "fit into GPU memory.",
    )
    threads = Integer(
        0,
        min=0,
        max=1024,
        config=True,
        help="Number of CPU threads; 0 uses the physical cores available to this process, up to the quota of "
        "its container. Use fewer to leave CPU time to your own computations.",
    )
    batch_tokens = Integer(
        0,
        min=0,
        max=8192,
        config=True,
        help="Batch size in tokens; 0 uses the default of the run mode. A smaller batch saves memory.",
    )
    builtin_chat_format = Bool(
        False,
        config=True,
        help="Use the ChatML format instead of the chat template in the model file, if the model has the "
        "ChatML tokens. Use it for a file whose template is refused. A model trained on another format "
        "gives worse answers.",
    )
    splice = Bool(
        True,
        config=True,
        help="Shift the code after the cursor within the KV cache while you type, instead of computing it "
        "again. If off, every keystroke recomputes it: exact, but several times slower.",
    )
    splice_changed_share = Float(
        0.25,
        min=0.0,
        max=1.0,
        config=True,
        help="Recompute the code after the cursor when this share of the code before it has changed.",
    )
    lookup = Bool(
        True,
        config=True,
        help="Speculative decoding from existing text: answers of improve, fix and document from the code "
        "they repeat, completions from the notebook and from the previous completion. Greedy answers do "
        "not change, only their speed; it turns itself off if it does not help.",
    )
    draft_model = Unicode(
        "auto",
        config=True,
        help="Draft model for speculative decoding: `auto` uses the draft model of the profile if it is "
        "installed and both fit into memory, `off` uses none, or give the id of a model. Greedy answers "
        "do not change; it turns itself off if it does not help. `off` saves its memory.",
    )
    completion_cells = Integer(
        2048,
        min=0,
        config=True,
        help="Size in tokens of the KV cache for completions, in addition to the context window. It "
        "keeps the completion context while a long answer fills the window.",
    )
    kept_state_megabytes = Integer(
        512,
        min=0,
        config=True,
        help="Maximum size in megabytes of the KV cache state that is saved when a model is unloaded, in a "
        "private temporary file that is deleted when Jupyter stops. 0 disables it.",
    )
