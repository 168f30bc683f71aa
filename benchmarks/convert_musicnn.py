"""MusiCNN's weights out of pip's `musicnn`, TensorFlow checkpoints, as safetensors where `mustango evaluate` and `musicbench build`
look for them.

`make judges` runs it. By hand: pip install --no-deps musicnn==0.1.0; python benchmarks/convert_musicnn.py [FOLDER]
"""

import struct
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from musicbench import InputError
from musicbench.files import make_folder, written_whole
from musicbench.hearing.tagger import MODELS, musicnn_file


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _entries(table, offset, size):
    """Yield (key, value) of one block of a LevelDB table: keys share prefixes, the block ends with its restart points."""
    block = table[offset : offset + size]
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _fields(message):
    """Yield (number, value) of a protocol buffer message: integers, or bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            value, at = _varint(message, at)
        else:
            length, at = _varint(message, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = message[at : at + length], at + length
        yield tag >> 3, value


def read_tensorflow(prefix):
    """Read the float32 variables of a TensorFlow checkpoint `prefix`.index and .data as {name: array}; no TensorFlow needed."""
    index, data = (Path(f"{prefix}{suffix}").read_bytes() for suffix in (".index", ".data-00000-of-00001"))
    footer, at, handle = index[-48:], 0, []
    while len(handle) < 4:  # offset and size of the meta index, then of the index of blocks
        value, at = _varint(footer, at)
        handle.append(value)
    tensors = {}
    for _, block in _entries(index, *handle[2:]):
        offset, at = _varint(block, 0)
        for name, message in _entries(index, offset, _varint(block, at)[0]):
            entry = dict(_fields(message))
            if not name or entry.get(1) != 1:  # the header, or not float32
                continue
            shape = [dict(_fields(size)).get(1, 0) for number, size in _fields(entry.get(2, b"")) if number == 2]
            start = entry.get(4, 0)
            tensors[name.decode()] = np.frombuffer(data[start : start + entry[5]], "<f4").reshape(shape)
    return tensors


def convert(model, path):
    """Write a model's weights in pip's `musicnn`, without the optimizer's, to `path`. Raises InputError."""
    package = find_spec("musicnn")
    if package is None:
        raise InputError("the package musicnn is not installed; run: pip install --no-deps musicnn==0.1.0")
    folder = Path(package.origin).parent / f"{model.upper()}_musicnn"
    try:
        tensors = read_tensorflow(f"{folder}/")
    except OSError as error:
        raise InputError(f"cannot read MusiCNN's weights in {folder} ({error.strerror}); install musicnn 0.1.0 again") from None
    weights = {name: tensor for name, tensor in tensors.items() if "/" in name and "Adam" not in name}
    make_folder(path.parent)
    with written_whole(path) as temporary:
        temporary.write_bytes(save(weights))


def main():
    for model in MODELS:
        path = Path(sys.argv[1], musicnn_file(model).name) if len(sys.argv) > 1 else musicnn_file(model)
        try:
            convert(model, path)
        except InputError as error:
            sys.exit(f"convert_musicnn.py: {error}")
        print(path)


if __name__ == "__main__":
    main()
