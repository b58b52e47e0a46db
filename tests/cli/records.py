"""lcm-stream records in plain Python: a second reader and writer, independent of the tools, for tests only."""
import hashlib
import json
import math
import struct

BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I32": 4, "U8": 1, "BOOL": 1}
NO_HASH = "0" * 64
HEADER_HASH_KEY = b'"lcm.header_sha256":"'


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Tensor:
    """dtype, shape and bytes of one tensor."""

    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, list(shape), data

    def __eq__(self, other):
        return (self.dtype, self.shape, self.data) == (other.dtype, other.shape, other.data)

    def floats(self):
        return struct.unpack(f"<{len(self.data) // 4}f", self.data)


def f32(shape, values):
    return Tensor("F32", shape, struct.pack(f"<{len(values)}f", *values))


def distance(found, exact):
    """Relative RMS of two F32 tensors, such as latents."""
    a, b = found.floats(), exact.floats()
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / sum(y * y for y in b))


class Record:
    """Tensors by name and metadata by key, with every key of the writer's own."""

    def __init__(self, tensors=None, metadata=None):
        self.tensors, self.metadata = dict(tensors or {}), dict(metadata or {})

    def __eq__(self, other):
        return self.tensors == other.tensors and self.metadata == other.metadata


def parse(data):
    """All records of a stream; ValueError when a rule is broken that keeps the records apart or proves their bytes."""
    records, at = [], 0
    while at < len(data):
        start = at
        (length,) = struct.unpack_from("<Q", data, at)
        header = data[at + 8:at + 8 + length]
        entries = json.loads(header)
        metadata = entries.pop("__metadata__", {})
        at += 8 + length
        size = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        body = data[at:at + size]
        if len(header) != length or len(body) != size:
            raise ValueError("truncated record")
        if metadata.get("lcm.sha256") != sha256(body) or seal(data[start:at]) != data[start:at]:
            raise ValueError(f"wrong checksum in record {len(records)}")
        tensors = {name: Tensor(entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])]) for name, entry in entries.items()}
        records.append(Record(tensors, metadata))
        at += size
    return records


def seal(head):
    """Length and header with the right `lcm.header_sha256` in the place of whatever stands there."""
    start = head.index(HEADER_HASH_KEY) + len(HEADER_HASH_KEY)
    blank = head[:start] + NO_HASH.encode() + head[start + 64:]
    return head[:start] + sha256(blank).encode() + head[start + 64:]


def frame(header, data=b""):
    """A record of this header text, padded and sealed where it has a place for the hash, and these data bytes."""
    padded = header + b" " * (-(8 + len(header)) % 64)
    head = struct.pack("<Q", len(padded)) + padded
    return (seal(head) if HEADER_HASH_KEY in head else head) + data


def header_text(record):
    """The canonical header of a record, and its data bytes."""
    def in_order(item):
        name, tensor = item
        return -BYTES[tensor.dtype], name.encode()

    metadata = dict(record.metadata, **{"lcm.version": "1", "lcm.header_sha256": NO_HASH})
    entries, data = {}, b""
    for name, tensor in sorted(record.tensors.items(), key=in_order):
        entries[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [len(data), len(data) + len(tensor.data)]}
        data += tensor.data
    metadata["lcm.sha256"] = sha256(data)
    header = {"__metadata__": dict(sorted(metadata.items(), key=lambda item: item[0].encode())), **entries}
    return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode(), data


def frame_record(record):
    return frame(*header_text(record))


def write(records, final=True):
    """A stream of these records in canonical form; the last one is final unless told otherwise."""
    stream = b""
    for number, record in enumerate(records):
        own = dict(record.metadata, **{"lcm.seq": str(number)})
        for key in ("lcm.final", "lcm.count", "lcm.stream_sha256"):
            own.pop(key, None)
        if final and number + 1 == len(records):
            own |= {"lcm.final": "1", "lcm.count": str(len(records)), "lcm.stream_sha256": sha256(stream)}
        stream += frame_record(Record(record.tensors, own))
    return stream


def end_record(stream, count):
    """The end record that belongs behind `stream`, which holds `count` records."""
    metadata = {"lcm.kind": "end", "lcm.seq": str(count), "lcm.final": "1", "lcm.count": str(count), "lcm.stream_sha256": sha256(stream)}
    return frame_record(Record({}, metadata))
