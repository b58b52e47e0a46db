"""--check and --index of lcm-render: a stream is proved whole without rendering it, and each record can be found again."""
import json

import harness
import records
from harness import DATA, NO_INPUT, RENDER, USAGE, denoise


class CheckTest(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.stream = harness.sample("cond") + harness.sample("latent")

    def flipped(self, at):
        """The stream with one bit of byte `at` turned over."""
        return self.stream[:at] + bytes([self.stream[at] ^ 1]) + self.stream[at + 1:]

    def both_ways(self, flags, data):
        """The same report on a file and on stdin, less the name."""
        name = self.write("a.lcms", data).name
        return self.run_any([RENDER, *flags, name]), self.run_any([RENDER, *flags], stdin=data)


class Check(CheckTest):
    def test_a_whole_stream(self):
        for flags, proof in ((("--check",), b"headers and end mark"), (("--check", "--full"), b"all checksums")):
            for result, name in zip(self.both_ways(flags, self.stream), (b"a.lcms", b"standard input")):
                expected = b"%s: ok, 2 records (1 cond, 1 latent), %d bytes, %s\n" % (name, len(self.stream), proof)
                self.assertEqual((0, expected, b""), (result.code, result.out, result.err))

    def test_json(self):
        for full in ([], ["--full"]):
            report = json.loads(self.run_ok([RENDER, "--check", "--json", *full], stdin=self.stream).out)
            self.assertEqual({"bytes": len(self.stream), "file": "standard input", "full": bool(full), "kinds": {"cond": 1, "latent": 1},
                              "ok": True, "records": 2}, report)

    def test_faults_that_the_quick_check_finds(self):
        end = records.end_record(self.stream, 2)
        for data, says in (
                (self.stream[:-1], ["record 1", "truncated"]),
                (self.stream[:len(harness.sample("cond")) - 1], ["record 0", "truncated"]),
                (records.frame_record(records.Record({}, {"lcm.kind": "latent", "lcm.seq": "0"})), ["truncated", "no end mark"]),
                (self.stream + end, "record 2"),
                (self.flipped(20), "record 0"),
                (b"", "empty"),
        ):
            with self.subTest(says=says, size=len(data)):
                self.run_fails([RENDER, "--check"], DATA, says, stdin=data)

    def test_a_bit_in_the_data_is_found_by_the_full_check_only(self):
        data = self.flipped(len(harness.sample("cond")) - 1)
        for quick, full in zip(self.both_ways(["--check"], data), self.both_ways(["--check", "--full"], data)):
            self.assertEqual(0, quick.code, quick)
            self.expect_failure(full, DATA, ["record 0", "checksum"])

    def test_several_files_are_told_in_order_up_to_the_first_fault(self):
        self.write("a.lcms", self.stream)
        self.write("b.lcms", self.stream[:-1])
        self.assertEqual(2, self.run_ok([RENDER, "--check", "a.lcms", "a.lcms"]).out.count(b": ok,"))
        result = self.run_any([RENDER, "--check", "a.lcms", "b.lcms", "a.lcms"])
        self.expect_failure(result, DATA, "b.lcms")
        self.assertEqual(1, result.out.count(b": ok,"))
        self.run_fails([RENDER, "--check", "c.lcms"], NO_INPUT, "c.lcms")

    def test_flags_that_do_not_go_together(self):
        for flags in (["--full"], ["--check", "--index"]):
            self.run_fails([RENDER, *flags], USAGE, "--", stdin=self.stream)


class Index(CheckTest):
    def lines(self, text):
        return [json.loads(line) for line in text.splitlines()]

    def test_each_line_cuts_its_record_out(self):
        self.write("a.lcms", self.stream)
        self.assertEqual(b"", self.run_ok([RENDER, "--index", "a.lcms"]).out)
        index = self.lines(self.read("a.lcms.lcmi"))
        self.assertEqual(self.stream, b"".join(self.stream[line["offset"]:line["offset"] + line["length"]] for line in index))
        for line, record in zip(index, records.parse(self.stream), strict=True):
            (cut,) = records.parse(self.stream[line["offset"]:line["offset"] + line["length"]])
            self.assertEqual(record, cut)
            for name in ("id", "kind", "prompt", "seed", "size", "sha256", "seq"):
                told = line.get(name)
                self.assertEqual(record.metadata.get(f"lcm.{name}"), told if name != "seq" else str(told))
        self.assertEqual(["cond", "latent"], [line["kind"] for line in index])

    def test_on_stdin_it_is_the_same_on_stdout(self):
        self.write("a.lcms", self.stream)
        self.run_ok([RENDER, "--index", "a.lcms"])
        self.assertEqual(self.read("a.lcms.lcmi"), self.run_ok([RENDER, "--index"], stdin=self.stream).out)

    def test_numbers_start_again_and_end_records_count(self):
        two = self.run_ok(denoise("--steps", 1, "-b", 2), stdin=harness.sample("cond")).out
        body = records.write(records.parse(two)[:1], final=False)
        stream = two + body + records.end_record(body, 1)
        index = self.lines(self.run_ok([RENDER, "--index"], stdin=stream).out)
        self.assertEqual([("latent", 0), ("latent", 1), ("latent", 0), ("end", 1)], [(line["kind"], line["seq"]) for line in index])

    def test_a_broken_stream_gets_no_index(self):
        self.write("a.lcms", self.stream[:-1])
        self.run_fails([RENDER, "--index", "a.lcms"], DATA, "truncated")
        self.assertEqual(["a.lcms"], self.names())


if __name__ == "__main__":
    harness.main()
