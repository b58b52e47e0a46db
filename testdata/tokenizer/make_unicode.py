#!/usr/bin/env python3
"""Makes unicode-15.0.json: what the reference tokenizer gives for every code point that Unicode 15.0 assigns.

Needs transformers 5.23.0, tokenizers 0.23.3 and unicodedata2 15.0.0; nothing of the project runs or imports it.
Usage: make_unicode.py ../golden/models/sd15/tokenizer > unicode-15.0.json

The small vocabulary tells as much as a large one: it has every byte, within a word and at its end, so that the ids spell the words.
"""
import hashlib
import json
import struct
import sys

import tokenizers
import transformers
import unicodedata2

BLOCK = 1024
# Alone, within a word, beside capitals, space and digit; then whether it composes, and where it stands among the marks of one letter.
FORMS = ["{0}", "a{0}b", "A {0} 1{0}", "e{0}\u0301", "x\u0345{0}\u0334x"]


def ranges(points):
    found = []
    for point in points:
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def hashes(tokenizer, points, prompts_of):
    """SHA-256 of the ids (32-bit, little-endian) of all prompts, for each block of code points in turn."""
    blocks = {}
    for point in points:
        blocks.setdefault(point // BLOCK, []).extend(prompts_of(chr(point)))
    return [hashlib.sha256(b"".join(struct.pack(f"<{len(e.ids)}i", *e.ids) for e in tokenizer.encode_batch(prompts))).hexdigest()
            for prompts in blocks.values()]


def main():
    assert unicodedata2.unidata_version == "15.0.0"
    tokenizer = transformers.CLIPTokenizer.from_pretrained(sys.argv[1]).backend_tokenizer
    points = [p for p in range(0x110000) if unicodedata2.category(chr(p)) not in ("Cn", "Cs")]
    firsts, seconds = set(), set()
    for point in points:
        parts = unicodedata2.decomposition(chr(point)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            firsts.add(int(parts[0], 16))
            seconds.add(int(parts[1], 16))
    firsts |= {0x1100, 0x1112, 0x1113, 0xAC00, 0xAC01, 0xD788}  # Hangul composes by arithmetic: the ends of its ranges
    seconds |= {0x1160, 0x1161, 0x1175, 0x1176, 0x11A7, 0x11A8, 0x11C2, 0x11C3}
    firsts, seconds = sorted(firsts), sorted(seconds)
    json.dump({
        "unicode": unicodedata2.unidata_version,
        "made_with": {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
        "block": BLOCK,
        "points": ranges(points),
        "point_sha256": hashes(tokenizer, points, lambda c: ["\n".join(FORMS).format(c)]),
        "pair_firsts": ranges(firsts),
        "pair_seconds": ranges(seconds),
        "pair_sha256": hashes(tokenizer, firsts, lambda c: [c + chr(second) for second in seconds]),
    }, sys.stdout, separators=(",", ":"))
    print()


main()
