"""A second reader of lcm-stream 1, written from the specification alone, to be compared with the tools' own.

It says accept or refuse, and with which exit code; messages are its own. Nothing here is fast or bounded in memory.
"""
import hashlib
import math
import struct
import sys

HEADER_LIMIT, RECORD_LIMIT = 1 << 20, 1 << 30
TENSORS, RANK, DIMENSION, KEYS = 4096, 8, 1 << 31, 256
KEY_BYTES, NAME_BYTES, VALUE_BYTES, OFFSET = 128, 128, 65536, (1 << 48) - 1
KINDS = ("latent", "cond", "noise", "image", "end", "error")
HEX_MARKER = b'"lcm.header_sha256":"'

BITS = dict.fromkeys("BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ".split(), 8)
BITS.update(dict.fromkeys("I16 U16 F16 BF16".split(), 16))
BITS.update(dict.fromkeys("I32 U32 F32".split(), 32))
BITS.update(dict.fromkeys("I64 U64 F64 C64".split(), 64))
BITS.update({"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6})

FLOAT = ("F32", "F16", "BF16")
KNOWN = dict.fromkeys(
    "latent latent.denoised latent.init latent.mask latent.masked latent.masked_std noise text.embeds text.pooled text.negative.embeds "
    "text.negative.pooled image.features sketch.embeds".split(), FLOAT)
KNOWN.update({"text.ids": ("I32",), "text.time_ids": ("F32",), "text.negative.time_ids": ("F32",), "sketch.strokes": ("F32",),
              "image": ("U8", "F32"), "rng.state": ("U8",)})
FAMILIES = {"control.": ("U8", "F32"), "sched.": ("F32",)}


class Refused(Exception):
    """A fault in the input, with the exit code a tool gives it."""

    def __init__(self, what, code=65):
        super().__init__(what)
        self.code = code


def need(condition, what, code=65):
    if not condition:
        raise Refused(what, code)


class HeaderText:
    """The grammar of a header, read from left to right; strict JSON, three levels, no key twice."""

    ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

    def __init__(self, text):
        self.text, self.at = text, 0

    def parse(self):
        metadata, tensors = {}, {}
        seen = set()
        for name in self.members():
            need(name not in seen, "duplicate name")
            seen.add(name)
            if name == "__metadata__":
                metadata = self.metadata()
            else:
                check_name(name, NAME_BYTES)
                need(len(tensors) < TENSORS, "too many tensors")
                tensors[name] = self.tensor()
        self.space()
        need(self.at == len(self.text), "text after the object")
        return metadata, tensors

    def metadata(self):
        found = {}
        for key in self.members():
            check_name(key, KEY_BYTES)
            need(key not in found, "duplicate metadata key")
            need(len(found) < KEYS, "too many metadata keys")
            found[key] = self.string()
            need(len(found[key].encode()) <= VALUE_BYTES and "\0" not in found[key], "bad metadata value")
        return found

    def tensor(self):
        found = {}
        for key in self.members():
            need(key in ("dtype", "shape", "data_offsets") and key not in found, "unknown or duplicate key of a tensor")
            found[key] = self.string() if key == "dtype" else self.numbers()
        need(len(found) == 3, "a key of a tensor is missing")
        return found

    def members(self):
        """The keys of an object; the caller reads the value of each before it asks for the next."""
        self.expect("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            key = self.string()
            self.expect(":")
            yield key
            if self.peek() == "}":
                self.at += 1
                return
            self.expect(",")

    def numbers(self):
        self.expect("[")
        if self.peek() == "]":
            self.at += 1
            return []
        found = [self.number()]
        while self.peek() == ",":
            self.at += 1
            found.append(self.number())
        self.expect("]")
        return found

    def number(self):
        self.space()
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        token = self.text[begin:self.at]
        need(token != "" and (token == "0" or token[0] != "0"), "no unsigned decimal integer")
        need(self.peek() in (",", "]"), "no unsigned decimal integer")
        need(int(token) < 1 << 64, "number too large")
        return int(token)

    def string(self):
        self.expect('"')
        found = []
        while True:
            need(self.at < len(self.text), "unfinished string")
            c = self.text[self.at]
            self.at += 1
            if c == '"':
                return "".join(found)
            need(c >= " ", "control character in a string")
            found.append(self.escape() if c == "\\" else c)

    def escape(self):
        need(self.at < len(self.text), "unfinished escape")
        c = self.text[self.at]
        self.at += 1
        if c != "u":
            need(c in self.ESCAPES, "unknown escape")
            return self.ESCAPES[c]
        unit = self.hex4()
        need(not 0xDC00 <= unit < 0xE000, "lone surrogate")
        if not 0xD800 <= unit < 0xDC00:
            return chr(unit)
        need(self.text[self.at:self.at + 2] == "\\u", "lone surrogate")
        self.at += 2
        low = self.hex4()
        need(0xDC00 <= low < 0xE000, "lone surrogate")
        return chr(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00)

    def hex4(self):
        digits = self.text[self.at:self.at + 4]
        need(len(digits) == 4 and all(d in "0123456789abcdefABCDEF" for d in digits), "bad escape")
        self.at += 4
        return int(digits, 16)

    def space(self):
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1

    def peek(self):
        self.space()
        return self.text[self.at] if self.at < len(self.text) else ""

    def expect(self, c):
        need(self.peek() == c, f"expected {c}")
        self.at += 1


def check_name(name, limit):
    need(name != "" and len(name.encode()) <= limit, "empty or long name")
    need(all(c >= " " and c != "\x7f" for c in name) and "/../" not in name, "bad name")


def check_tensors(tensors):
    """Sizes and tiling; gives the number of data bytes."""
    for tensor in tensors.values():
        need(tensor["dtype"] in BITS, "unknown dtype")
        need(len(tensor["shape"]) <= RANK and all(d < DIMENSION for d in tensor["shape"]), "shape beyond the limits")
        need(len(tensor["data_offsets"]) == 2 and max(tensor["data_offsets"]) <= OFFSET, "bad offsets")
        begin, end = tensor["data_offsets"]
        bits = math.prod(d for d in tensor["shape"] if d) * BITS[tensor["dtype"]]
        need(bits < 1 << 64, "product of the dimensions overflows")
        bits = 0 if 0 in tensor["shape"] else bits
        need(begin <= end and bits % 8 == 0 and bits // 8 == end - begin, "size and offsets differ")
    at = 0
    for begin, end, _ in sorted((*tensor["data_offsets"], name) for name, tensor in tensors.items()):
        need(begin == at, "hole or overlap")
        at = end
    return at


def check_values(tensors, data):
    for name, tensor in tensors.items():
        dtype, body = tensor["dtype"], data[slice(*tensor["data_offsets"])]
        need(dtype != "BOOL" or not body.strip(b"\0\1"), "BOOL byte beyond 1")
        known = KNOWN.get(name) or next((dtypes for family, dtypes in FAMILIES.items() if name.startswith(family)), None)
        if known is None:
            continue
        need(dtype in known, "wrong dtype of a known tensor")
        if dtype in FLOAT:
            code, mask = {"F32": ("I", 0x7F800000), "F16": ("H", 0x7C00), "BF16": ("H", 0x7F80)}[dtype]
            words = struct.unpack(f"<{len(body) // struct.calcsize(code)}{code}", body)
            need(all(word & mask != mask for word in words), "NaN or infinity")
    if "latent" in tensors and "latent.denoised" in tensors:
        need(tensors["latent"]["dtype"] == tensors["latent.denoised"]["dtype"], "latent.denoised has another dtype")


def unsigned(text):
    need(text.isascii() and text.isdigit() and (text == "0" or text[0] != "0") and int(text) < 1 << 64, "no unsigned integer")
    return int(text)


def check_version(metadata):
    need("lcm.version" in metadata, "no lcm-stream record")
    major, point, minor = metadata["lcm.version"].partition(".")
    need(unsigned(major) == 1 and (not point or unsigned(minor) >= 0), "another version")


def check_header_checksum(metadata, raw):
    need(raw.count(HEX_MARKER) == 1, "header checksum missing")
    digits = raw.index(HEX_MARKER) + len(HEX_MARKER)
    zeroed = raw[:digits] + b"0" * 64 + raw[digits + 64:]
    need(len(zeroed) == len(raw) and metadata.get("lcm.header_sha256") == hashlib.sha256(zeroed).hexdigest(), "header checksum wrong")


def refuse_foreign(head):
    need(not head.startswith((b"PK\3\4", b"PK\5\6")), "zip archive", 77)
    pickle = len(head) >= 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and (len(head) == 8 or head.endswith(b"."))
    need(not pickle, "pickle", 77)


class Stream:
    """A whole stream in memory; `read` goes through it to the end or to the first fault."""

    def __init__(self, data, keep_going):
        self.data, self.at, self.keep_going = data, 0, keep_going
        self.failure = 0  # code of the first request that failed
        self.part_begins, self.seq, self.count = 0, 0, 0  # since the last final record
        self.final = False

    def read(self):
        need(self.data, "empty input")
        while self.at < len(self.data):
            self.record()
        need(self.final, "truncated: no end mark")

    def take(self, count):
        need(len(self.data) - self.at >= count, "truncated")
        self.at += count
        return self.data[self.at - count:self.at]

    def record(self):
        begin = self.at
        head = self.data[begin:begin + 8]
        length = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= length <= HEADER_LIMIT:
            refuse_foreign(head)
        length_bytes = self.take(8)
        need(2 <= length <= HEADER_LIMIT, "header length beyond the limits")
        header = self.take(length)
        need(header[:1] == b"{" and header.rstrip(b" ")[-1:] == b"}", "no braces around the header")
        try:
            metadata, tensors = HeaderText(header.decode("utf-8")).parse()
        except UnicodeDecodeError:
            raise Refused("no UTF-8") from None
        size = check_tensors(tensors)
        need(8 + length + size <= RECORD_LIMIT, "record too large")
        check_version(metadata)
        check_header_checksum(metadata, length_bytes + header)
        need(not metadata.get("lcm.require", "").strip(","), "unknown feature required")
        self.marks(metadata, tensors, begin)
        data = self.take(size)
        need(metadata.get("lcm.sha256") == hashlib.sha256(data).hexdigest(), "data checksum wrong")
        check_values(tensors, data)
        self.advance(metadata)

    def marks(self, metadata, tensors, begin):
        kind = metadata.get("lcm.kind")
        need(kind in KINDS, "unknown kind")
        need(unsigned(metadata.get("lcm.seq", "")) == self.seq, "out of order")
        self.count += kind not in ("end", "error")
        self.final = "lcm.final" in metadata
        if self.final:
            need(metadata["lcm.final"] == "1" and unsigned(metadata.get("lcm.count", "")) == self.count, "wrong count")
            before = self.data[self.part_begins:begin]
            need(metadata.get("lcm.stream_sha256") == hashlib.sha256(before).hexdigest(), "stream checksum wrong")
        else:
            need("lcm.count" not in metadata and "lcm.stream_sha256" not in metadata, "half a final mark")
        need(kind != "end" or (self.final and not tensors), "bad end record")

    def advance(self, metadata):
        if metadata["lcm.kind"] == "error":
            code = unsigned(metadata.get("lcm.error_code", ""))
            need(1 <= code <= 255 and "lcm.error" in metadata, "bad error record")
            scope = metadata.get("lcm.error_scope", "stream")
            need(not self.keep_going or scope in ("stream", "record"), "unknown scope of an error")
            if not self.keep_going or scope == "stream":
                raise Refused("upstream: " + metadata["lcm.error"], code)
            self.failure = self.failure or code
        self.seq += 1
        if self.final:
            self.part_begins, self.seq, self.count = self.at, 0, 0


def verdict(data, keep_going=False):
    """0 when the stream is good, else the exit code of a tool that reads it."""
    stream = Stream(data, keep_going)
    try:
        stream.read()
    except Refused as refused:
        return refused.code
    return stream.failure


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(verdict(file.read()), path)
