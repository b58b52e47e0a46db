"""The hostile streams: each differs from a good one in a single fault, made anew for every run from a record that the tool accepts.

A case is (row, data, says): the kind of bad input it belongs to, the bytes, and what the message must hold. All end with 65 unless said
otherwise. Faults in a header are sealed with a right checksum, so that the fault itself must be found. Here stand one or two of a kind, to
prove that each tool reads with all the rules; the many variants are thrown at the reader alone, by corpus_test.py.
"""
import io
import pickle
import struct
import zipfile

import records

HEADER_LIMIT = 1_048_576
NEIGHBOURS = {"a": records.Tensor("U8", [4], b"abcd"), "b": records.Tensor("U8", [4], b"efgh")}  # stand last, behind the F32 tensors


class Stream:
    """A good one-record stream as header text and data, open for one change."""

    def __init__(self, record, extra=None):
        marks = {"lcm.seq": "0", "lcm.final": "1", "lcm.count": "1", "lcm.stream_sha256": records.sha256(b"")}
        self.record = records.Record({**record.tensors, **(extra or {})}, {**record.metadata, **marks})
        self.header, self.data = records.header_text(self.record)

    def bytes(self):
        return records.frame(self.header, self.data)

    def changed(self, old, new):
        """The stream with `old` in the header replaced once by `new`, and sealed again."""
        old, new = (text.encode() if isinstance(text, str) else text for text in (old, new))
        assert self.header.count(old) >= 1, old
        return records.frame(self.header.replace(old, new, 1), self.data)

    def with_entry(self, text):
        """The stream with another header entry at the end of the list of tensors."""
        return records.frame(self.header[:-1] + b"," + text.encode() + b"}", self.data)

    def with_metadata(self, text):
        """The stream with another metadata entry at the front."""
        return self.changed('"__metadata__":{', '"__metadata__":{' + text + ",")


def lengths(good):
    head = good[8:]
    yield 1, b"", "empty"
    yield 2, good[:7], "truncated length"
    yield 3, b"\xff" * 8 + head, "header length"
    yield 4, struct.pack("<Q", HEADER_LIMIT + 1) + head, "header length"
    yield 5, struct.pack("<Q", HEADER_LIMIT) + b"{", "truncated"
    yield 6, struct.pack("<Q", len(good)) + head, "truncated"


def first_bytes(stream):
    yield 7, stream.changed(b"{", b"\xef\xbb\xbf{"), "{"
    yield 7, records.frame(stream.header + b"\n", stream.data), "record 0 header"


def names(stream):
    yield 8, stream.changed(b'"a":{', b'"\xff":{'), "UTF-8"
    yield 8, stream.changed('"a":{', r'"\u0000":{'), "control character"


def duplicates(stream):
    yield 9, stream.changed('"b":{', '"a":{'), 'duplicate name "a"'
    yield 9, stream.changed('"b":{', r'"\u0061":{'), 'duplicate name "a"'
    yield 9, stream.with_metadata(r'"\u006ccm.kind":"cond"'), 'duplicate metadata key "lcm.kind"'


def tiling(stream):
    size = len(stream.data)
    a, b = f"[{size - 8},{size - 4}]", f"[{size - 4},{size}]"
    yield 10, stream.changed(b, a), "overlap"
    yield 10, records.frame(stream.header.replace(b.encode(), f"[{size - 3},{size + 1}]".encode()), stream.data + b"x"), "hole"
    yield 10, stream.changed(a, f"[{size - 4},{size - 8}]"), "reversed"
    empty = '"z":{{"dtype":"U8","shape":[0],"data_offsets":[{0},{0}]}}'
    yield 13, stream.with_entry(empty.format(size - 2)), "overlap"


def numbers(stream):
    for shape in ("65536,65536,65536,65536", "4,2147418113,5,429509837"):
        yield 11, stream.changed('"U8","shape":[4]', f'"U8","shape":[{shape}]'), "record 0 header"
    yield 12, stream.changed('"U8","shape":[4]', '"U8","shape":[-0]'), "unsigned integer"
    yield 12, stream.changed('"data_offsets":[0,', '"data_offsets":[1e3,'), "unsigned integer"


def sizes(stream):
    size = len(stream.data)
    many = ",".join(f'"{number}":{{"dtype":"U8","shape":[0],"data_offsets":[{size},{size}]}}' for number in range(4097))
    yield 14, stream.with_entry(many), "4096 tensors"
    yield 14, stream.with_entry('"x":' + "[" * 100_000), "record 0 header"


def types(stream):
    yield 15, stream.changed('"dtype":"U8"', '"dtype":"U9"'), 'unknown dtype "U9"'
    yield 15, stream.changed('"dtype":"U8"', '"dtype":"BOOL"'), 'tensor "a"'
    yield 16, stream.with_metadata('"my.key":1'), 'metadata key "my.key"'


def marks(stream):
    """Marks that contradict the stream. The end of a stream and its checksums are row 19 and 20."""
    yield 19, stream.changed('"lcm.count":"1"', '"lcm.count":"2"'), "lcm.count"
    yield 19, stream.changed('"lcm.seq":"0"', '"lcm.seq":"1"'), "lcm.seq"
    yield 19, stream.changed('"lcm.stream_sha256":"e', '"lcm.stream_sha256":"f'), "stream checksum"
    yield 19, records.write([stream.record], final=False), "no end mark"
    yield 19, stream.bytes() + b"more", "record 1"
    yield 19, stream.changed('"lcm.version":"1"', '"lcm.version":"2"'), "version 2"
    yield 19, stream.with_metadata('"lcm.require":"teleport"'), "teleport"


def flipped_bits(stream):
    good = stream.bytes()

    def flip(at, bit=1):
        return good[:at] + bytes([good[at] ^ bit]) + good[at + 1:]

    data_begins = len(good) - len(stream.data)
    yield 20, flip(data_begins), "data checksum"
    yield 20, flip(good.index(b'"lcm.kind"') + 13), "record 0"
    yield 20, flip(0, 64), "record 0"


def foreign():
    yield 21, b"GGUF" + bytes(60), "GGUF"
    yield 21, b"<!DOCTYPE html><html></html>", "HTML"
    yield 21, b"version https://git-lfs.github.com/spec/v1\n", "Git-LFS pointer"


def pickles():
    """The two that end with 77."""
    yield 21, pickle.dumps(list(range(999))), "pickle"
    checkpoint = io.BytesIO()
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    yield 21, checkpoint.getvalue(), "zip"


def bad_streams(record):
    """All cases that end with 65, made from a good record."""
    stream = Stream(record, NEIGHBOURS)
    yield from lengths(Stream(record).bytes())
    for faults in (first_bytes, names, duplicates, tiling, numbers, sizes, types, marks, flipped_bits):
        yield from faults(stream)
    yield from foreign()


def good_streams(record):
    """What looks odd and is legal."""
    stream = Stream(record, NEIGHBOURS)
    size = len(stream.data)
    empty = '"{0}":{{"dtype":"{1}","shape":{2},"data_offsets":[{3},{3}]}}'
    yield "as it is", stream.bytes()
    both = empty.format("y", "F32", "[3,0]", size) + "," + empty.format("z", "U8", "[0]", size - 4)
    yield "empty tensors at edges", stream.with_entry(both)
    yield "padding that aligns to nothing", records.frame(stream.header + b" " * 77, stream.data)
    yield "metadata behind the tensors", reordered(stream)


def reordered(stream):
    """`__metadata__` as the last entry: readers must not depend on the canonical order."""
    end = stream.header.index(b"},", stream.header.index(b'"lcm.version"')) + 1
    metadata, entries = stream.header[1:end], stream.header[end + 1:-1]
    return records.frame(b"{" + entries + b"," + metadata + b"}", stream.data)


def end_of_nothing():
    """A stream of an end record alone."""
    return records.end_record(b"", 0)
