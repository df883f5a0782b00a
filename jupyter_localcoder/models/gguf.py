"""The header of a GGUF file: what the model is, and whether all of it is there.

Reads GGUF versions 2 and 3, and never the tensors' data. What llama.cpp would abort on, or what would
make it allocate without bound, is refused here as `InvalidModel`, before a worker sees the file.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ..contract.fill_tokens import GGUF_FILL_KEYS, ModelIdentity, Part, can_fill
from ..errors import InvalidModel, SourceFileNotFound
from ..storage.regular import NotRegular, open_regular
from .ggml_types import FILE_TYPES, REPACKED, TENSOR_TYPES
from .gguf_bytes import MAX_KEY_BYTES, ByteReader, Listed, Value
from .shape import Shape

MAX_KEYS = 4096
MAX_TENSORS = 20_000
MAX_LAYERS = 512
"""llama.cpp's own limit, ``LLAMA_MAX_LAYERS``."""
MAX_WIDTH = 1_048_576
"""For heads and lengths of vectors; the largest published models have some ten thousand."""

_MAX_DIMENSIONS = 4
_MAX_TENSOR_NAME_BYTES = 64
_MAX_CONTEXT = 2**31 - 1
_DEFAULT_ALIGNMENT = 32
_CHATML_MARK = "<|im_start|>"


class GgufHeader(Struct, frozen=True, kw_only=True):
    """The facts of a header. Lengths are in elements, contexts in tokens."""

    version: int
    architecture: str
    name: str
    quantization: str
    size_label: str
    """The number of parameters as the makers state it, such as `1.5B`; empty where they do not."""
    context_length: int
    n_layers: int
    n_heads: int
    """The largest of any layer; 0 for a model without attention."""
    n_kv_heads: int
    kv_heads_total: int
    """Summed over the layers, which may differ."""
    key_length: int
    value_length: int
    embedding_length: int
    vocabulary: int
    n_tensors: int
    tensor_bytes: int
    repackable_bytes: int
    chat_template: bool
    fill_in_the_middle: bool
    """Whether its vocabulary has the tokens for it."""
    recurrent_bytes: int = 0
    """State of the recurrent layers for one sequence."""
    chatml: bool = False
    """Whether its vocabulary has the marks of ChatML, which serve a model without a template."""

    @property
    def chats(self) -> bool:
        """Whether it can follow an instruction."""
        return self.chat_template or self.chatml

    @property
    def shape(self) -> Shape:
        """The numbers for the memory estimate."""
        return Shape(
            weights_bytes=self.tensor_bytes,
            repackable_bytes=self.repackable_bytes,
            kv_heads_total=self.kv_heads_total,
            heads=self.n_heads,
            key_length=self.key_length,
            value_length=self.value_length,
            embedding_length=self.embedding_length,
            vocabulary=self.vocabulary,
            tensors=self.n_tensors,
            recurrent_bytes=self.recurrent_bytes,
        )


def read(path: Path) -> GgufHeader:
    """Read and check the header of a file.

    Raises
    ------
    SourceFileNotFound
        There is no such file.
    InvalidModel
        It is not a GGUF file, it is damaged or cut short, or it is not a language model.

    """
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            return _Reading(ByteReader(file, status.st_size), status.st_size).header()
    except FileNotFoundError:
        raise SourceFileNotFound(f"`{path.name}` was not found.") from None
    except NotRegular:
        raise InvalidModel(f"`{path.name}` is not a regular file.") from None
    except OSError as failure:
        raise InvalidModel(f"`{path.name}` cannot be read: {failure.strerror}.") from None


class _Tensors(Struct, frozen=True):
    total_bytes: int
    repackable_bytes: int
    majority_type: str
    embedding_rows: int


class _Reading:
    """One pass over one header."""

    def __init__(self, source: ByteReader, size: int) -> None:
        self._source = source
        self._size = size
        self._values: dict[str, Value] = {}

    def header(self) -> GgufHeader:
        source = self._source
        if self._size < 4 or source.take(4) != b"GGUF":
            raise InvalidModel("The file does not begin with `GGUF`: it is not a GGUF model.")
        version = source.u32()
        if version not in (2, 3):
            if version & 0xFFFF == 0 and version:
                raise InvalidModel("The file is a GGUF model for big-endian machines.")
            raise InvalidModel(f"The file is GGUF version {version}; only versions 2 and 3 are supported.")
        n_tensors = self._counted(source.u64(), "tensors", MAX_TENSORS)
        n_keys = self._counted(source.u64(), "keys", MAX_KEYS)
        self._read_values(n_keys)
        tensors = self._read_tensors(n_tensors)
        return self._facts(version, n_tensors, tensors)

    @staticmethod
    def _counted(count: int, what: str, limit: int) -> int:
        if not 1 <= count <= limit:
            raise InvalidModel(f"The header claims {count} {what}; 1 to {limit} are allowed.")
        return count

    def _read_values(self, count: int) -> None:
        for _ in range(count):
            key = self._source.string(MAX_KEY_BYTES)
            if key in self._values:
                raise InvalidModel(f"The header has the key `{_shown(key)}` twice.")
            self._values[key] = self._source.value()

    def _read_tensors(self, count: int) -> _Tensors:
        source = self._source
        names: set[str] = set()
        by_type: dict[str, int] = {}
        end = total = repackable = embedding_rows = 0
        alignment = self._alignment()
        for _ in range(count):
            name = source.string(_MAX_TENSOR_NAME_BYTES)
            if name in names:
                raise InvalidModel(f"The header has the tensor `{_shown(name)}` twice.")
            names.add(name)
            rows, kind, size = self._tensor_size(name)
            offset = source.u64()
            if offset % alignment:
                raise InvalidModel(f"The tensor `{_shown(name)}` is not aligned to {alignment} bytes.")
            total += size
            end = max(end, offset + size)
            by_type[kind] = by_type.get(kind, 0) + size
            if name == "token_embd.weight":
                embedding_rows = rows
            elif kind in REPACKED and rows % 8 == 0:
                repackable += size
        needed = -(-source.position // alignment) * alignment + max(end, total)
        if needed > self._size:
            raise InvalidModel(
                f"The file is truncated: it has {self._size} bytes, but its tensors need {needed}.",
                size_bytes=self._size,
                needed_bytes=needed,
            )
        return _Tensors(total, repackable, max(by_type, key=lambda kind: by_type[kind]), embedding_rows)

    def _tensor_size(self, name: str) -> tuple[int, str, int]:
        """Rows, type and bytes of the tensor whose description comes next."""
        source = self._source
        n_dimensions = source.u32()
        if not 1 <= n_dimensions <= _MAX_DIMENSIONS:
            raise InvalidModel(f"The tensor `{_shown(name)}` has {n_dimensions} dimensions.")
        lengths = [source.u64() for _ in range(n_dimensions)]
        kind = TENSOR_TYPES.get(number := source.u32())
        if kind is None:
            raise InvalidModel(f"The tensor `{_shown(name)}` has the unknown type {number}.")
        elements = 1
        for length in lengths:
            elements *= length
        if not 0 < elements < 2**63:
            raise InvalidModel(f"The tensor `{_shown(name)}` has impossible dimensions.")
        if lengths[0] % kind.block:
            raise InvalidModel(
                f"The tensor `{_shown(name)}` has rows of {lengths[0]} elements, "
                f"which do not divide into blocks of {kind.block}."
            )
        rows = lengths[1] if n_dimensions > 1 else 1
        return rows, kind.name, elements // kind.block * kind.block_bytes

    def _alignment(self) -> int:
        alignment = self._integer("general.alignment", 1, 65_536, _DEFAULT_ALIGNMENT)
        if alignment & (alignment - 1):
            raise InvalidModel(f"The header claims an alignment of {alignment} bytes.")
        return alignment

    def _facts(self, version: int, n_tensors: int, tensors: _Tensors) -> GgufHeader:
        architecture = self._architecture()
        n_layers = self._integer(f"{architecture}.block_count", 1, MAX_LAYERS)
        embedding_length = self._integer(f"{architecture}.embedding_length", 1, MAX_WIDTH)
        heads = self._per_layer(f"{architecture}.attention.head_count", n_layers, 0)
        n_heads = max(heads)
        kv_heads = self._per_layer(f"{architecture}.attention.head_count_kv", n_layers, None) or heads
        if max(kv_heads) > n_heads:
            raise InvalidModel(f"The header claims {max(kv_heads)} KV heads for {n_heads} heads.")
        head_length = embedding_length // n_heads if n_heads else 0
        file_type = self._values.get("general.file_type")
        tokens = self._values.get("tokenizer.ggml.tokens")
        return GgufHeader(
            version=version,
            architecture=architecture,
            name=_shown(self._string("general.name")),
            quantization=FILE_TYPES.get(file_type if isinstance(file_type, int) else -1)
            or tensors.majority_type,
            size_label=_shown(self._string("general.size_label")),
            context_length=self._integer(f"{architecture}.context_length", 1, _MAX_CONTEXT),
            n_layers=n_layers,
            n_heads=n_heads,
            n_kv_heads=max(kv_heads),
            kv_heads_total=sum(kv_heads),
            key_length=self._integer(f"{architecture}.attention.key_length", 1, MAX_WIDTH, head_length),
            value_length=self._integer(f"{architecture}.attention.value_length", 1, MAX_WIDTH, head_length),
            embedding_length=embedding_length,
            vocabulary=tokens.count if isinstance(tokens, Listed) else tensors.embedding_rows,
            n_tensors=n_tensors,
            tensor_bytes=tensors.total_bytes,
            repackable_bytes=tensors.repackable_bytes,
            recurrent_bytes=self._recurrent_bytes(architecture, kv_heads),
            chat_template=bool(self._string("tokenizer.chat_template")),
            fill_in_the_middle=self._fills(architecture, tokens),
            chatml=isinstance(tokens, Listed) and self._source.contains(tokens, _CHATML_MARK),
        )

    def _recurrent_bytes(self, architecture: str, kv_heads: Sequence[int]) -> int:
        """State of the layers of Mamba's kind, which llama.cpp keeps for each sequence as 32-bit numbers."""
        inner, state, kernel, groups = (
            self._integer(f"{architecture}.ssm.{name}", 0, MAX_WIDTH, 0)
            for name in ("inner_size", "state_size", "conv_kernel", "group_count")
        )
        # Without one that has no attention, each layer has both.
        layers = sum(not heads for heads in kv_heads) or len(kv_heads)
        return 4 * layers * (max(0, kernel - 1) * (inner + 2 * groups * state) + inner * state)

    def _architecture(self) -> str:
        if self._string("general.type") not in ("", "model"):
            raise InvalidModel("The file is an adapter or a projector, not a model.")
        if self._integer("split.count", 0, 65_535, 0) > 1:
            raise InvalidModel("The file is one part of a split model; merge the parts first.")
        architecture = self._string("general.architecture")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", architecture):
            raise InvalidModel("The header does not name the architecture of the model.")
        return architecture

    def _fills(self, architecture: str, tokens: Value | None) -> bool:
        if not isinstance(tokens, Listed):
            return False
        return can_fill(
            ModelIdentity(architecture, self._string("general.name"), self._string("tokenizer.ggml.pre")),
            lambda part: (token := self._token(part)) is not None and 0 <= token < tokens.count,
            lambda text: self._source.contains(tokens, text),
        )

    def _token(self, part: Part) -> int | None:
        for key in GGUF_FILL_KEYS[part]:
            value = self._values.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None

    def _per_layer(self, key: str, n_layers: int, default: int | None) -> tuple[int, ...]:
        """One number for all layers, or an array of one for each, as a tuple of one for each."""
        value = self._values.get(key)
        if value is None:
            return () if default is None else (default,) * n_layers
        if not isinstance(value, Listed):
            return (self._integer(key, 0, MAX_WIDTH),) * n_layers
        if value.count != n_layers or value.form is None:
            raise InvalidModel(f"`{key}` has {value.count} values for {n_layers} layers.")
        numbers = tuple(number for number in self._source.numbers(value) if isinstance(number, int))
        if len(numbers) != n_layers or not all(0 <= number <= MAX_WIDTH for number in numbers):
            raise InvalidModel(f"`{key}` has invalid values.")
        return numbers

    def _string(self, key: str) -> str:
        value = self._values.get(key)
        return value if isinstance(value, str) else ""

    def _integer(self, key: str, least: int, most: int, default: int | None = None) -> int:
        value = self._values.get(key)
        if value is None:
            if default is None:
                raise InvalidModel(f"The header has no `{_shown(key)}`: it is not a language model.")
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidModel(f"The header has an invalid value for `{_shown(key)}`.", key=_shown(key))
        return value


def _shown(text: str) -> str:
    """Text of a file of unknown origin, fit to stand in a sentence: short, and printable."""
    return "".join(char if char.isprintable() else "�" for char in text[:80])
