"""Good and bad streams, one a row and variant of the list of bad inputs, each with the exit codes it must get.

    make_corpus.py FOLDER    writes them there, with `expected.json`
"""
import hashlib
import json
import os
import struct
import sys

ZERO_DIGITS = "0" * 64
FOUR = b"\0\0\0\0"
LATENT = '"latent":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def raw(header, data=b""):
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header)) + header + data


def seal(header, data=b""):
    """Fills the header checksum in where its 64 zeros stand."""
    header = header if isinstance(header, bytes) else header.encode()
    return raw(header.replace(ZERO_DIGITS.encode(), sha256(raw(header)).encode(), 1), data)


def marks(**changes):
    """Metadata of a stream of one final latent record, with changes (`kind="end"`); None removes a key."""
    found = {"version": "1", "kind": "latent", "seq": "0", "header_sha256": ZERO_DIGITS, "final": "1", "count": "1",
             "stream_sha256": sha256(b"")}
    found.update(changes)
    return {"lcm." + key: value for key, value in found.items() if value is not None}


def first(**changes):
    return marks(**{"final": None, "count": None, "stream_sha256": None, **changes})


def header_of(metadata, tensors, data):
    metadata = {"lcm.sha256": sha256(data), **metadata}
    members = ",".join(json.dumps(key) + ":" + json.dumps(value) for key, value in sorted(metadata.items()))
    return '{"__metadata__":{' + members + "}" + ("," + tensors if tensors else "") + "}"


def record(metadata=None, tensors=LATENT, data=FOUR):
    return seal(header_of(metadata or marks(), tensors, data), data)


def end(before, count):
    return record(marks(kind="end", seq=str(count), count=str(count), stream_sha256=sha256(before)), "", b"")


def entry(shape, offsets, dtype="U8", name="a"):
    return f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


def good():
    one, open_one = record(), record(first())
    last = record(marks(seq="1", count="2", stream_sha256=sha256(open_one)))
    extra = first()
    extra.update({"x.note": "\u00e9 \"quoted\" \\ \n\u0001", "lcm.prompt": "", "lcm.require": ","})
    streams = {
        "00-one": one, "00-two": open_one + last, "00-ended": open_one + end(open_one, 1), "00-only-end": end(b"", 0),
        "19-joined": one + open_one + last + one, "19-joined-ends": end(b"", 0) + open_one + end(open_one, 1),
        "00-metadata": record(extra) + end(record(extra), 1), "00-minor-version": record(marks(version="1.7")),
        "00-padding": seal(header_of(marks(), LATENT, FOUR) + " " * 37, FOUR),
        "00-inner-space": seal(header_of(marks(), LATENT.replace(":", " :\n\t"), FOUR), FOUR),
        "10-any-order": record(None, entry("[2]", "[4,6]") + "," + entry("[4]", "[0,4]", name="b"), b"\0" * 6),
        "13-edge": record(None, entry("[0]", "[4,4]") + "," + entry("[4]", "[0,4]", name="b"), FOUR),
        "13-zero-first": record(None, entry("[0,65536]", "[0,0]"), b""),
        "15-bool": record(None, entry("[2]", "[0,2]", "BOOL"), b"\0\1"),
        "15-f4": record(None, entry("[4]", "[0,2]", "F4"), b"\xAB\xCD"),
        "15-rank-0": record(None, entry("[]", "[0,8]", "C64"), b"\0" * 8),
        "17-denormal": record(None, LATENT, b"\1\0\0\0"),
        "17-nan-unknown": record(None, entry("[1]", "[0,4]", "F32"), b"\0\0\xC0\x7F"),
        "14-4096-tensors": record(None, ",".join(entry("[0]", "[0,0]", name=f"t{i}") for i in range(4096)), b""),
        "12-escaped-name": record(None, entry("[1]", "[0,1]", name="\\u0061\\ud83c\\udf4e"), b"\0"),
    }
    return {"good-" + name: (data, 0) for name, data in streams.items()}


def bad_lengths():
    return {
        "01-empty": b"", **{f"02-{n}-bytes": b"\x38\1\0\0\0\0\0"[:n] for n in range(1, 8)}, "03-largest": b"\xFF" * 8,
        "04-model-limit": struct.pack("<Q", 100_000_001) + b"{}",
        "04-stream-limit": struct.pack("<Q", 1_048_577) + b"{}",
        "04-zero": b"\0" * 64,
        "04-one": raw("{"),
        "05-closed-pipe": struct.pack("<Q", 1 << 20),
        "06-beyond-file": raw("{}  ")[:-1],
    }


def bad_text():
    whole = header_of(marks(), LATENT, FOUR)
    found = {
        "07-no-brace": raw("[]"),
        "07-leading-space": seal(" " + whole, FOUR),
        "07-mark": seal(b"\xEF\xBB\xBF" + whole.encode(), FOUR),
        "07-newline-padding": seal(whole + "\n", FOUR), "07-tab-padding": seal(whole + " \t ", FOUR),
        "07-zero-padding": seal(whole + "\0", FOUR),
        "07-zero-then-text": seal(whole + "\0}", FOUR),
        "07-two-objects": seal(whole + "{}", FOUR),
        "07-comment": seal("{/**/" + whole[1:], FOUR), "07-comma": seal(whole[:-1] + ",}", FOUR),
        "08-utf8-name": seal(whole.encode().replace(b'"latent":{', b'"lat\xFFnt":{'), FOUR),
        "08-surrogate-bytes": seal(whole.encode().replace(b'"latent":{', b'"\xED\xA0\x80":{'), FOUR),
        "08-overlong": seal(whole.encode().replace(b'"latent":{', b'"\xC0\xAF":{'), FOUR),
        "08-raw-control": seal(whole.replace('"latent":{', '"la\ntent":{'), FOUR),
    }
    names = {"zero": "\\u0000", "escape": "\\u001b", "delete": "\x7F", "empty": "", "dots": "a/../b", "surrogate": "\\ud800",
             "reversed-pair": "\\udc00\\ud800", "long": "n" * 129}
    for label, name in names.items():
        found["08-name-" + label] = record(None, entry("[4]", "[0,4]", name=name), FOUR)
        found["08-key-" + label] = seal(whole.replace('"__metadata__":{', '"__metadata__":{"' + name + '":"",'), FOUR)
    found["08-value-zero"] = record({**marks(), "k": "\0"})
    return found


def bad_keys():
    whole = header_of(marks(), LATENT, FOUR)
    four = entry("[4]", "[0,4]")
    return {
        "09-tensor": record(None, four + "," + entry("[1]", "[0,4]", "F32"), FOUR),
        "09-tensor-escaped": record(None, four + "," + entry("[1]", "[0,4]", "F32", "\\u0061"), FOUR),
        "09-metadata": seal(whole[:-1] + ',"__metadata__":{}}', FOUR),
        "09-metadata-escaped": seal(whole[:-1] + ',"__meta\\u0064ata__":{}}', FOUR),
        "09-metadata-key": seal(whole.replace('"lcm.kind"', '"lcm.kind":"latent","lcm.kind"'), FOUR),
        "09-metadata-key-escaped": seal(whole.replace('"lcm.kind"', '"lcm.kin\\u0064":"cond","lcm.kind"'), FOUR),
        "09-inner": record(None, four.replace('"shape"', '"dtype":"U8","shape"'), FOUR),
        "09-inner-escaped": record(None, four.replace('"shape"', '"sh\\u0061pe":[4],"shape"'), FOUR),
        "09-inner-unknown": record(None, four[:-1] + ',"x":1}', FOUR),
        "09-inner-missing": record(None, four.replace('"shape":[4],', ""), FOUR),
        "16-number": seal(whole.replace('"lcm.seq":"0"', '"lcm.seq":0'), FOUR),
        "16-metadata-list": raw('{"__metadata__":[]}'),
        **{f"16-value-{label}": seal(whole.replace('"__metadata__":{', f'"__metadata__":{{"k":{value},'), FOUR)
           for label, value in {"null": "null", "true": "true", "list": "[]", "object": "{}", "float": "1.5"}.items()},
    }


def bad_tensors():
    found = {}
    pairs = {"overlap": ("[0,4]", "[2,6]"), "same": ("[0,4]", "[0,4]"), "hole": ("[0,4]", "[5,9]"), "start": ("[1,5]", "[5,9]"),
             "beyond": ("[0,4]", "[4,9]")}
    for label, (one, two) in pairs.items():
        found["10-" + label] = record(None, entry("[4]", one) + "," + entry("[4]", two, name="b"), b"\0" * 8)
    wrapping = {"to-0": "[65536,65536,65536,65536]", "to-4": "[4194305,4194305,211106198978564]", "four": "[4,2147418113,5,429509837]",
                "zero-last": "[65536,65536,65536,65536,0]", "zero-first": "[0,65536,65536,65536,65536]"}
    for label, shape in wrapping.items():
        found["11-" + label] = record(None, entry(shape, "[0,0]"), b"")
        found["11-" + label + "-4"] = record(None, entry(shape, "[0,4]"), FOUR)
    no_numbers = ["-1", "-0", "4e0", "4.0", "04", "18446744073709551616", '"4"', "null", "true", "[4]", "{}", "+4", "0x4", ""]
    for number, token in enumerate(no_numbers):
        found[f"12-dimension-{number}"] = record(None, entry(f"[{token},1]", "[0,4]"), FOUR)
        found[f"12-offset-{number}"] = record(None, entry("[4]", f"[0,{token}]"), FOUR)
    return found


def bad_single_tensors():
    return {
        "10-reversed": record(None, entry("[4]", "[4,0]"), FOUR), "10-one": record(None, entry("[0]", "[0]"), b""),
        "10-three": record(None, entry("[4]", "[0,4,4]"), FOUR), "10-size": record(None, entry("[5]", "[0,4]"), FOUR),
        "10-cut": record(None, entry("[4]", "[0,4]"), FOUR)[:-1],
        "10-large-offset": record(None, entry("[0]", f"[{1 << 48},{1 << 48}]"), b""),
        "13-inside": record(None, entry("[4]", "[0,4]") + "," + entry("[0]", "[2,2]", name="b"), FOUR),
        "14-tensors": record(None, ",".join(entry("[0]", "[0,0]", name=f"t{i}") for i in range(4097)), b""),
        "14-keys": record({**marks(), **{f"k{i}": "" for i in range(257)}}),
        "14-value": record({**marks(), "k": "v" * 65537}),
        "14-nesting": raw('{"a":' + "[" * 1_000_000 + "}"),
        "14-rank": record(None, entry("[1,1,1,1,1,1,1,1,1]", "[0,1]"), b"\0"),
        "14-dimension": record(None, entry("[2147483648]", "[0,2147483648]"), b""),
        "14-record": record(None, entry("[1073741824]", "[0,1073741824]"), b""),
        "15-unknown": record(None, entry("[4]", "[0,4]", "U9"), FOUR),
        "15-f4": record(None, entry("[7]", "[0,4]", "F4"), FOUR),
        "15-f6": record(None, entry("[5]", "[0,4]", "F6_E2M3"), FOUR),
        "15-bool": record(None, entry("[4]", "[0,4]", "BOOL"), b"\0\1\2\0"),
        "15-known": record(None, entry("[1]", "[0,8]", "F64", "latent"), b"\0" * 8),
        "15-family": record(None, entry("[1]", "[0,8]", "F64", "sched.x"), b"\0" * 8),
        "15-denoised": record(None, LATENT + "," + entry("[1]", "[4,6]", "F16", "latent.denoised"), b"\0" * 6),
        "17-nan": record(None, LATENT, b"\0\0\xC0\x7F"), "17-infinity": record(None, LATENT, b"\0\0\x80\xFF"),
        "17-half": record(None, entry("[2]", "[0,4]", "F16", "noise"), b"\0\0\0\x7C"),
        "17-bf16": record(None, entry("[2]", "[0,4]", "BF16", "noise"), b"\x80\x7F\0\0"),
    }


def bad_order():
    open_one = record(first())
    error = first(kind="error", error_code="71", error="lcm-encode: out of memory")
    found = {
        "18-plain": raw("{}"),
        "18-plain-metadata": raw('{"__metadata__":{"format":"pt"}}'),
        "18-no-version": record(marks(version=None)),
        "18-version": record(marks(version="2")),
        "18-version-text": record(marks(version="1.")),
        "18-kind": record(marks(kind="film")),
        "18-no-kind": record(marks(kind=None)), "18-require": record(marks(require="tiles")),
        "18-require-two": record(marks(require=",zstd,tiles")), "19-no-mark": open_one,
        "19-cut": record()[:-1],
        "19-after": record() + b"x",
        "19-after-plain": record() + raw("{}"),
        "19-half-mark": record(marks(final=None)),
        "19-final-0": record(marks(final="0")),
        "19-no-count": record(marks(count=None)),
        "19-count": record(marks(count="2")),
        "19-count-text": record(marks(count="01")),
        "19-no-hash": record(marks(stream_sha256=None)),
        "19-hash": record(marks(stream_sha256=sha256(b"x"))),
        "19-seq": record(marks(seq="1")), "19-seq-text": record(marks(seq="-0")), "19-no-seq": record(marks(seq=None)),
        "19-end-count": open_one + record(marks(kind="end", seq="1", count="2", stream_sha256=sha256(open_one)), "", b""),
        "19-end-cut": open_one + end(open_one, 1)[:-1], "19-end-tensors": record(marks(kind="end", count="0")),
        "19-end-open": record(first(kind="end"), "", b""),
        "20-data": record()[:-1] + b"\1",
        "20-no-sha": seal(header_of({**marks(), "lcm.sha256": ""}, LATENT, FOUR), FOUR),
        "20-no-header-sha": record(marks(header_sha256=None)), "20-short-header-sha": record(marks(header_sha256="0")),
        "20-upper-case": record().replace(b'"lcm.sha256":"' + sha256(FOUR).encode(), b'"lcm.sha256":"' + sha256(FOUR).upper().encode()),
        "25-no-code": record(first(kind="error", error="x"), "", b""),
        "25-code-0": record({**error, "lcm.error_code": "0"}, "", b""),
        "25-no-text": record(first(kind="error", error_code="71"), "", b""),
    }
    return found, {"25-error": (record(error, "", b""), 71),
    "25-error-more": (record(error, "", b"") + b"anything", 71)}


def failed_requests():
    """name -> (stream, exit code, exit code of a reader that keeps going)."""
    def failed(seq=0, code="71", scope="record"):
        return record(first(kind="error", seq=str(seq), error_code=code, error="x", error_scope=scope), "", b"")

    def ended(*records, count):
        before = b"".join(records)
        return before + record(marks(kind="end", seq=str(len(records)), count=str(count), stream_sha256=sha256(before)), "", b"")

    one, second = record(first()), record(first(seq="1"))
    last = marks(kind="error", count="0", error_code="71", error="x", error_scope="record")
    return {
        "25-request": (ended(failed(), count=0), 71, 71), "25-request-then-good": (ended(failed(), second, count=1), 71, 71),
        "25-request-behind-good": (ended(one, failed(1), count=1), 71, 71),
        "25-two-requests": (ended(failed(), failed(1, "77"), count=0), 71, 71),
        "25-request-counted": (ended(one, failed(1), count=2), 71, 65),
        "25-request-out-of-order": (ended(one, failed(0), count=1), 65, 65),
        "25-request-then-same-seq": (ended(failed(), one, count=1), 71, 65),
        "25-request-no-end": (failed(), 71, 65), "25-request-final": (record(last, "", b""), 71, 71),
        "25-request-final-counted": (record({**last, "lcm.count": "1"}, "", b""), 65, 65),
        "25-request-then-stream": (failed() + failed(1, "77", "stream"), 71, 77),
        "25-request-unknown-scope": (ended(failed(scope="film"), count=0), 71, 65),
        "25-request-no-code": (ended(failed(code=None), count=0), 65, 65),
    }


def foreign():
    rest = b"x" * 64
    refused = {f"pickle-{n}": bytes([0x80, n]) + b"}q\0X\1\0" for n in range(2, 6)}
    refused.update({"zip": b"PK\3\4\0\0\x08\x08", "empty-zip": b"PK\5\6"})
    named = {"gguf": b"GGUF\3\0\0\0", "lfs": b"version https://git-lfs", "html": b"<!DOCTYPE html>",
             "png": b"\x89PNG\r\n\x1A\n", "text": b"hello, world"}
    found = {"21-" + name: (head + rest, 77) for name, head in refused.items()}
    found["21-short-pickle"] = (b"\x80\x04N.", 77)
    found["21-like-pickle"] = (raw("{}".ljust(0x280)), 65)
    found.update({"21-" + name: (head + rest, 65) for name, head in named.items()})
    return found


def corpus():
    """name -> (bytes, expected exit code, that of a reader that keeps going)."""
    order, upstream = bad_order()
    bad = {**bad_lengths(), **bad_text(), **bad_keys(), **bad_tensors(), **bad_single_tensors(), **order}
    found = {**{name: (data, 65) for name, data in bad.items()}, **upstream, **foreign(), **failed_requests()}
    found = {**good(), **{"bad-" + name: case for name, case in found.items()}}
    return {name: (data, *(codes * 2)[:2]) for name, (data, *codes) in found.items()}


def write_corpus(folder):
    """One file a stream; gives name -> expected exit codes, without and with --keep-going."""
    expected = {}
    for name, (data, *codes) in corpus().items():
        expected[name + ".lcms"] = codes
        with open(os.path.join(folder, name + ".lcms"), "wb") as file:
            file.write(data)
    with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, indent=1, sort_keys=True)
    return expected


if __name__ == "__main__":
    write_corpus(sys.argv[1])
