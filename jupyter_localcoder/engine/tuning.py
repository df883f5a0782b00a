"""How llama.cpp runs a model: the knobs, with when to touch them."""

from __future__ import annotations

from traitlets import Bool, Enum, Float, Integer, Unicode
from traitlets.config import LoggingConfigurable


class Tuning(LoggingConfigurable):
    """Knobs of the engine. The defaults are right for most machines; each help says for which not."""

    flash_attention = Enum(
        ["auto", "on", "off"],
        "auto",
        config=True,
        help="Flash attention. `auto` takes it on a GPU where llama.cpp can, and not on the processor, where "
        "it is slower. Try `off` when a GPU driver crashes in it: `cache_type` must then be f16. Try `on` "
        "for a very long context on the processor: it takes less memory.",
    )
    cache_type = Enum(
        ["f16", "q8_0"],
        "f16",
        config=True,
        help="Type of the KV cache. `q8_0` halves its memory at a small loss of speed and quality: for a "
        "long context on a machine with little memory.",
    )
    mlock = Enum(
        ["auto", "on", "off"],
        "auto",
        config=True,
        help="Lock the weights into memory, so that they are never swapped out. `auto` does it where the "
        "system allows it and half of the free memory is left; `off` where other programs suffer.",
    )
    mmap = Bool(
        True,
        config=True,
        help="Map the file instead of reading it. Switch it off on a network disk, where pages come slowly.",
    )
    repack = Bool(
        True,
        config=True,
        help="Copy weights into a layout that suits this processor: faster prompts, and up to the size of "
        "the model again in memory. Switch it off where memory is short.",
    )
    gpu_layers = Integer(
        -1,
        min=-1,
        config=True,
        help="Layers that run on the GPU; -1 all of them. Fewer where the GPU's memory is too small for all.",
    )
    threads = Integer(
        0,
        min=0,
        max=1024,
        config=True,
        help="Threads for the CPU; 0 takes the physical cores that this process may use, no more than the "
        "quota of its container. Fewer leave room for your own computations.",
    )
    batch_tokens = Integer(
        0,
        min=0,
        max=8192,
        config=True,
        help="Tokens that are computed at once; 0 takes what suits the run mode. Smaller saves memory.",
    )
    builtin_chat_format = Bool(
        False,
        config=True,
        help="Ask models in the ChatML format instead of by the template in their file, where they know its "
        "marks: for a file whose own template is refused. A model that was trained on another format answers "
        "worse.",
    )
    splice = Bool(
        True,
        config=True,
        help="Move the code after the cursor in the cache while you type, instead of computing it again. "
        "Off, every keystroke reads it anew: the exact computation, several times slower.",
    )
    splice_changed_share = Float(
        0.25,
        min=0.0,
        max=1.0,
        config=True,
        help="Compute the code after the cursor again when such a share of what is before it has changed.",
    )
    lookup = Bool(
        True,
        config=True,
        help="Draft answers: those of improve, fix and document from the code they repeat, completions from "
        "the notebook and from the one before. Never changes a "
        "greedy answer, only how fast it comes; it switches itself off where it does not pay.",
    )
    draft_model = Unicode(
        "auto",
        config=True,
        help="Small model that drafts the answers of a large one: `auto` takes the profile's where both fit "
        "into memory and it is installed, `off` none, or the id of a model. Never changes a greedy answer; "
        "it switches itself off where it does not pay. `off` saves its memory.",
    )
    completion_cells = Integer(
        2048,
        min=0,
        config=True,
        help="Cells of the KV cache beside the context window, in tokens: so much of a completion is kept "
        "while a long answer fills the window.",
    )
    kept_state_megabytes = Integer(
        512,
        min=0,
        config=True,
        help="Keep what was computed over an unload, up to so many megabytes, in a private temporary file "
        "that is removed when Jupyter ends. 0 keeps nothing.",
    )
