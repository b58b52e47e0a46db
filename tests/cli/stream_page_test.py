"""lcm-stream(5) and the code name the same keys, kinds, tensors and limits, and the page's example is a stream."""
import hashlib
import json
import re
import struct

import harness
import records
from harness import RENDER, ROOT

PAGE = (ROOT / "man/lcm-stream.5.scd").read_text(encoding="utf-8")
TERM = re.compile(r"^\*([a-z].*?)\*", re.M)


def section(heading):
    return re.search(rf"^# {re.escape(heading)}\n(.*?)(?=^# |\Z)", PAGE, re.M | re.S)[1]


def header_names(namespace):
    """Strings of a namespace of keys.h."""
    text = (ROOT / "lib/stream/keys.h").read_text()
    body = re.search(rf"namespace lcm::{namespace} \{{(.*?)\}}  // namespace", text, re.S)[1]
    return set(re.findall(r'= "(.*?)";', body))


def literal_blocks(text):
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)


class Names(harness.ToolTest):
    def test_keys(self):
        keys = header_names("key") - {"lcm."}
        self.assertGreater(len(keys), 40)
        dumps = re.compile(r"^[0-9a-f]{4}  .*$", re.M)
        self.assertEqual(keys, set(re.findall(r"\blcm\.[a-z]\w*", dumps.sub("", PAGE))))
        described = {key for line in re.findall(r"^\*lcm\..*$", section("METADATA KEYS"), re.M) for key in re.findall(r"lcm\.\w+", line)}
        self.assertEqual(keys, described)

    def test_kinds(self):
        self.assertEqual(header_names("kind"), set(TERM.findall(section("KINDS"))))

    def test_tensors(self):
        self.assertEqual(header_names("tensor"), set(TERM.findall(section("TENSORS"))))

    def test_types_and_ranks_of_tensors(self):
        code = (ROOT / "lib/stream/known_tensors.cc").read_text()
        lists = {name: set(re.findall(r"Dtype::(\w+)", types))
                 for name, types in re.findall(r"std::initializer_list<Dtype> (\w+)\{(.*?)\};", code)}
        tensors = (ROOT / "lib/stream/keys.h").read_text().split("namespace lcm::tensor")[1]
        names = dict(re.findall(r'std::string_view (\w+) = "(.*?)";', tensors))
        known = {names[name]: (None if rank == "std::nullopt" else int(rank), lists[types])
                 for name, rank, types in re.findall(r"\{tensor::(\w+), (\d|std::nullopt), (\w+)\}", code)}
        self.assertEqual(header_names("tensor"), set(known))

        lines = dict(re.findall(r"^\*([a-z.]\S*?)\*(.*)$", section("TENSORS"), re.M))
        types = {name: set(re.findall(r"\b(?:U8|I32|F32|F16|BF16)\b", line)) for name, line in lines.items()}
        self.assertIn("as the latent", lines["latent.denoised"])
        types["latent.denoised"] = types["latent"]
        ranks = {name: shape[1].count(",") + 1 if (shape := re.search(r"\[(.*?)\]", line)) else None for name, line in lines.items()}
        self.assertEqual(known, {name: (ranks[name], types[name]) for name in lines})

    def test_element_types(self):
        rows = re.findall(r'\{"(\w+)", (\d+)\}', (ROOT / "lib/stream/dtype.cc").read_text())
        self.assertEqual(22, len(rows))
        told = {name: bits for bits, names in re.findall(r"^\|  (\d+)\n:  (.*)$", section("HEADER"), re.M) for name in names.split()}
        self.assertEqual(dict(rows), told)


class Limits(harness.ToolTest):
    def limits_of(self, function):
        code = (ROOT / "lib/stream/header.cc").read_text()
        body = re.search(rf"HeaderLimits HeaderLimits::{function}\(.*?\) \{{(.*?)\n\}}", code, re.S)[1]
        values = {}
        for name, value in re.findall(r"\.(\w+) = (.+?)(?:,|\};)$", body, re.M):
            shift = re.fullmatch(r"std::uint64_t\{1\} << (\d+)", value)
            if shift or value[0].isdigit():
                values[name] = 1 << int(shift[1]) if shift else int(value.replace("'", ""))
        return values

    def test_limits_are_those_of_the_reader(self):
        stream, model = self.limits_of("stream"), self.limits_of("model")
        self.assertEqual(8, len(stream))
        told = re.findall(r"^\*([a-z ]+)\*.*\n\t([\d,]+); ([\d,]+)$", section("LIMITS"), re.M)
        numbers = {name.replace(" ", "_"): (int(first.replace(",", "")), int(second.replace(",", ""))) for name, first, second in told}
        self.assertEqual({name: (stream[name], model[name]) for name in stream}, numbers)

    def test_largest_record(self):
        code = (ROOT / "lib/base/resource_limits.h").read_text()
        shift = re.search(r"record = std::uint64_t\{1\} << (\d+);", code)[1]
        self.assertIn(f"at most {1 << int(shift):,} bytes", section("LIMITS").replace("\n", " "))


class Example(harness.ToolTest):
    def stream(self):
        """The bytes that the page describes: its header, the spaces it counts, the numbers of its first sentence."""
        text = section("EXAMPLE")
        header = literal_blocks(text)[0].replace("\n", "").encode()
        spaces = int(re.search(r"with (\d+) spaces", text)[1])
        values = re.search(r"with the values (.*?)\. ", text.replace("\n", " "))[1]
        data = struct.pack("<4f", *map(float, re.findall(r"-?[\d.]+", values)))
        return struct.pack("<Q", len(header) + spaces) + header + b" " * spaces + data

    def test_its_numbers(self):
        text, stream = section("EXAMPLE").replace("\n", " "), self.stream()
        (length,) = struct.unpack("<Q", stream[:8])
        self.assertIn(f"It has {len(stream[8:8 + length].rstrip(b' '))} bytes", text)
        self.assertIn(f"N is {length}, and the whole stream has {len(stream)} bytes", text)
        self.assertIn(hashlib.sha256(stream).hexdigest(), text)
        self.assertEqual(0, (8 + length) % 64)

    def test_its_dump(self):
        stream = self.stream()
        lines = [line for line in literal_blocks(section("EXAMPLE"))[1].splitlines() if line != "..."]
        self.assertEqual(4, len(lines))
        for line in lines:
            at = int(line[:4], 16)
            self.assertEqual(stream[at:at + 16], bytes.fromhex(line[6:53]))
            self.assertEqual("".join(chr(byte) if 32 <= byte < 127 else "." for byte in stream[at:at + 16]), line[55:])

    def test_the_tools_read_it(self):
        self.assertIn(b"latent", self.run_ok([RENDER, "--info"], stdin=self.stream()).out)
        self.run_ok([RENDER, "--check", "--full"], stdin=self.stream())

    def test_an_index_has_the_keys_of_the_page(self):
        stream = harness.sample("cond") + harness.sample("latent")
        told = set(re.findall(r"\*(\w+)\*", section("CHECK AND INDEX").split("a line for each record", 1)[1]))
        lines = [json.loads(line) for line in self.run_ok([RENDER, "--index"], stdin=stream).out.splitlines()]
        self.assertEqual(told, {key for line in lines for key in line})
        self.assertEqual([line["offset"] for line in lines], [0, lines[0]["length"]])

    def test_it_is_canonical(self):
        stream = self.stream()
        (record,) = records.parse(stream)
        own = ("lcm.seq", "lcm.final", "lcm.count", "lcm.stream_sha256")
        record.metadata = {key: value for key, value in record.metadata.items() if key not in own}
        self.assertEqual(stream, records.write([record]))


if __name__ == "__main__":
    harness.main()
