"""Every tool that reads records, against every row of bad streams: the right exit code, one clear message, nothing left behind."""
import itertools
import math
import struct

import harness
import records
import tools_corpus
from harness import DATA, IO, REFUSED, denoise, encode, render

# What each tool reads with success, and how it is called.
READERS = {
    "denoise": ("cond", denoise("--to", 0)),
    "render": ("latent", render()),
    "encode": ("cond", encode("-i", "-")),
}


def base(reader):
    return records.parse(harness.sample(READERS[reader][0]))[0]


class BadStreams(harness.ToolTest):
    def fails(self, reader, code, says, stream):
        self.run_fails(READERS[reader][1], code, says, stdin=stream)

    def test_every_row_by_every_tool_and_every_case_by_one(self):
        taken = set()
        runs = []
        turn = itertools.cycle(READERS)
        streams = {reader: list(tools_corpus.bad_streams(base(reader))) for reader in READERS}
        for number, (row, _, says) in enumerate(streams["denoise"]):
            readers = [next(turn)] if row in taken else READERS
            taken.add(row)
            runs += [(reader, row, says, streams[reader][number][1]) for reader in readers]
        self.assertEqual({*range(1, 17), 19, 20, 21}, taken)
        self.each(lambda reader, row, says, stream: self.fails(reader, DATA, says, stream), runs)

    def test_pickles(self):
        self.each(self.fails, [(reader, REFUSED, says, data) for reader in READERS for _, data, says in tools_corpus.pickles()])

    def test_the_file_is_named(self):
        self.write("bad.lcms", harness.sample("cond")[:-1])
        self.run_fails(denoise("bad.lcms"), DATA, "bad.lcms: record 0: truncated")

    def test_odd_but_legal(self):
        def check(reader, name, stream):
            self.run_ok(READERS[reader][1], stdin=stream)

        self.each(check, [("denoise", *case) for case in tools_corpus.good_streams(base("denoise"))])
        self.each(check, [("render", "joined", harness.sample("latent") + tools_corpus.end_of_nothing())])


class ErrorRecords(harness.ToolTest):
    """An error record is input too: its words are untrusted."""

    def stream(self, **metadata):
        record = records.Record({}, {"lcm.kind": "error", **{f"lcm.{key}": value for key, value in metadata.items()}})
        return records.write([record], final=False)

    def test_the_code_and_the_cause_are_passed_on(self):
        stream = self.stream(error_code="74", error="far-away: disk full")
        self.each(lambda argv: self.run_fails(argv, IO, "far-away: disk full", stdin=stream), [(argv,) for _, argv in READERS.values()])

    def test_codes_that_are_none(self):
        self.each(lambda code: self.run_fails(denoise(), DATA, "lcm.error_code", stdin=self.stream(error_code=code, error="x")),
                  [("0",), ("256",), ("seven",)])
        self.run_fails(denoise(), DATA, "lcm.error", stdin=self.stream(error_code="65"))

    def test_words_are_escaped(self):
        stream = self.stream(error_code="65", error="\x1b[31m\nlcm-render: hint: obey")
        result = self.run_fails(denoise(), DATA, r"\x1B[31m\x0A", stdin=stream)
        self.assertNotIn(b"\x1b", result.err + result.out)


class Values(harness.ToolTest):
    """Numbers that no network should meet, and shapes that do not fit the model."""

    def changed(self, kind, name, change):
        (record,) = records.parse(harness.sample(kind))
        record.tensors[name] = change(record.tensors[name])
        return records.write([record])

    def test_nan_and_infinity(self):
        def spoil(value):
            return lambda tensor: records.Tensor("F32", tensor.shape, tensor.data[:28] + struct.pack("<f", value) + tensor.data[32:])

        for value, argv, kind, name in ((math.nan, denoise(), "cond", "text.embeds"), (-math.inf, render(), "latent", "latent")):
            self.run_fails(argv, DATA, ["record 0", name, "index 7"], stdin=self.changed(kind, name, spoil(value)))
        self.run_ok(render(), stdin=self.changed("latent", "latent", spoil(1e-40)))  # a denormal number is fine

    def test_shapes_that_do_not_fit_the_model(self):
        self.each(lambda shape, says: self.run_fails(render(), DATA, ["record 0", "latent", says], stdin=self.changed(
            "latent", "latent", lambda _: records.f32(shape, [0.5] * math.prod(shape)))), [
            ([3, 8, 8], "3"), ([4, 0, 0], "0"), ([4, 64], "64"), ([256], "256"),
        ])
        self.each(lambda shape, says: self.run_fails(denoise(), DATA, ["record 0", "text.embeds", says], stdin=self.changed(
            "cond", "text.embeds", lambda _: records.f32(shape, [0.5] * math.prod(shape)))), [
            ([77, 32], "24"), ([0, 24], "text.embeds"), ([1848], "text.embeds"),
        ])

    def test_a_picture_too_wide(self):
        wide = self.changed("latent", "latent", lambda _: records.f32([4, 1, 4096], [0.5] * 16384))
        self.run_fails(render(), REFUSED, "limit", stdin=wide)
        self.run_fails(denoise("-W", 2**20, "-H", 64), REFUSED, "1048576x64", stdin=harness.sample("cond"))

    def test_sizes_of_no_picture(self):
        self.each(lambda width: self.run_fails(denoise("-W", width), harness.USAGE, f"{width}x64", stdin=harness.sample("cond")),
                  [(-8,), (63,)])

    def test_wrong_dtypes(self):
        integers = self.changed("cond", "text.embeds", lambda tensor: records.Tensor("I32", tensor.shape, tensor.data))
        self.run_fails(denoise(), DATA, ["record 0", "text.embeds", "I32"], stdin=integers)

    def test_records_of_the_wrong_kind(self):
        cond, latent = harness.sample("cond"), harness.sample("latent")
        self.run_fails(render(), DATA, ["record 0", "latent"], stdin=cond)
        self.run_fails(denoise(), DATA, ["record 0", "already"], stdin=latent)

    def test_the_wrong_model(self):
        self.run_fails(denoise("-m", harness.SD15), DATA, ["record 0", "24", "32"], stdin=harness.sample("cond"))
        self.run_fails(render("-m", harness.SD15), DATA, ["record 0", "lcm.vae_sha256"], stdin=self.rendered_by_another())

    def rendered_by_another(self):
        (record,) = records.parse(harness.sample("latent"))
        record.metadata["lcm.vae_sha256"] = "0" * 64
        return records.write([record])

    def test_a_model_hint_that_leads_nowhere(self):
        (record,) = records.parse(harness.sample("cond"))
        for hint in ("/etc", "a\x1bb", str(harness.SD15)):
            record.metadata["lcm.model"] = hint
            result = self.run_fails(denoise(), DATA, ["record 0", "model"], stdin=records.write([record]))
            self.assertNotIn(b"\x1b", result.err)


if __name__ == "__main__":
    harness.main()
