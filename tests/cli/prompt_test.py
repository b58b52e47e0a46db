"""Where prompts come from, what is allowed in them, and that they arrive unchanged."""
import harness
import records
from harness import DATA, NO_INPUT, denoise, encode

LONGEST_PROMPT = 65536
ODD_PROMPTS = ("", " ", "-N", "--steps", "a, b: c \"d\" 'e'", "two\nlines", "tab\there",
               "\x1b]52;c;aGk=\x07", "İstanbul ß 🍎 e\u0301", "\u202e\u200f")


def prompts(stream):
    return [record.metadata["lcm.prompt"] for record in records.parse(stream) if record.metadata["lcm.kind"] == "cond"]


class Given(harness.ToolTest):
    def test_an_operand_is_the_same_as_the_flag(self):
        self.assertEqual(self.run_ok(encode("a red apple")).out, self.run_ok(encode("-p", "a red apple")).out)

    def test_each_becomes_a_record(self):
        stream = self.run_ok(encode("-p", "one", "-p", "two", "--prompt=three")).out
        self.assertEqual(["one", "two", "three"], prompts(stream))
        self.assertEqual("3", records.parse(stream)[-1].metadata["lcm.count"])

    def test_any_text_arrives_unchanged(self):
        stream = self.run_ok(encode(*[f"--prompt={text}" for text in ODD_PROMPTS])).out
        self.assertEqual(list(ODD_PROMPTS), prompts(stream))

    def test_a_prompt_may_begin_with_a_dash(self):
        self.assertEqual(["-rf"], prompts(self.run_ok(encode("--", "-rf")).out))

    def test_equal_prompts_have_their_own_stable_identity(self):
        first, second = (self.run_ok(encode("same", "same")).out for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(2, len({record.metadata["lcm.id"] for record in records.parse(first)}))

    def test_the_negative_prompt_is_recorded(self):
        record = records.parse(self.run_ok(encode("-p", "apple", "-N", "blurry", model=harness.SD15)).out)[0]
        self.assertEqual("blurry", record.metadata["lcm.negative_prompt"])
        self.assertIn("text.negative.embeds", record.tensors)

    def test_the_longest_prompt_and_one_byte_more(self):
        result = self.run_any(encode("-p", "x" * LONGEST_PROMPT))
        self.assertEqual(0, result.code)
        self.assertRegex(result.err.decode(), r"^lcm-encode: prompt is \d+ tokens long; the last \d+ were cut\n$")
        self.run_fails(encode("-p", "x" * (LONGEST_PROMPT + 1)), DATA, ["prompt", str(LONGEST_PROMPT)])

    def test_bytes_that_are_no_text(self):
        self.run_fails(encode("-p", b"apple \xff".decode("utf-8", "surrogateescape")), DATA, ["prompt", "UTF-8"])
        self.run_fails(encode("-p", "apple", "-N", b"\xed\xa0\x80".decode("utf-8", "surrogateescape"), model=harness.SD15), DATA, "UTF-8")


class FromFiles(harness.ToolTest):
    def test_one_prompt_a_line(self):
        self.write("prompts.txt", b"one\n\ntwo\r\n\r\n three \nlast without its end")
        stream = self.run_ok(encode("--prompt-file", "prompts.txt")).out
        self.assertEqual(["one", "two", " three ", "last without its end"], prompts(stream))

    def test_stdin(self):
        self.assertEqual(["one", "two"], prompts(self.run_ok(encode("--prompt-file", "-"), stdin=b"one\ntwo\n").out))

    def test_the_same_records_as_from_the_command_line(self):
        from_file = records.parse(self.run_ok(encode("--prompt-file", "-"), stdin=b"one\ntwo\n").out)
        given = records.parse(self.run_ok(encode("one", "two")).out)
        self.assertEqual([record.tensors for record in given], [record.tensors for record in from_file[:2]])
        self.assertEqual([record.metadata["lcm.id"] for record in given], [record.metadata["lcm.id"] for record in from_file[:2]])

    def test_what_holds_no_prompt(self):
        self.path("folder").mkdir()
        self.each(lambda data, code, says: self.run_fails(encode("--prompt-file", "-"), code, says, stdin=data), [
            (b"\n\r\n\n", DATA, "no prompt"),
            (b"good\n" + b"x" * (LONGEST_PROMPT + 1), DATA, ["line 2", str(LONGEST_PROMPT)]),
            (b"good\nbad \0 zero\n", DATA, "record 1"),
        ])
        self.run_fails(encode("--prompt-file", "missing.txt"), NO_INPUT, "missing.txt")
        self.run_fails(encode("--prompt-file", "folder"), NO_INPUT, "folder")

    def test_lines_before_a_bad_one_have_left(self):
        result = self.run_fails(encode("--prompt-file", "-"), DATA, "UTF-8", stdin=b"good\nbad \xff\n")
        self.assertEqual(["cond", "error"], [record.metadata["lcm.kind"] for record in records.parse(result.out)])


class FromRecords(harness.ToolTest):
    def test_a_record_is_encoded_again_from_its_own_prompt(self):
        stream = harness.sample("cond")
        again = self.run_ok(encode("-i", "-", "--no-history"), stdin=stream).out
        self.assertEqual(records.parse(stream)[0].tensors, records.parse(again)[0].tensors)

    def test_the_flag_gives_all_records_another_prompt(self):
        self.run_ok(encode("one", "two", "-o", "in.lcms"))
        stream = self.run_ok(encode("-i", "in.lcms", "-p", "three")).out
        self.assertEqual(["three", "three"], prompts(stream))
        expected = records.parse(self.run_ok(encode("three")).out)[0].tensors
        self.assertEqual([expected, expected], [record.tensors for record in records.parse(stream)])

    def test_what_the_encoder_does_not_know_is_kept(self):
        record = records.parse(harness.sample("cond"))[0]
        record.metadata["my.note"] = "keep"
        record.tensors["control.scribble"] = records.Tensor("U8", [1, 2, 2], b"\0\1\2\3")
        result = records.parse(self.run_ok(encode("-i", "-"), stdin=records.write([record])).out)[0]
        self.assertEqual("keep", result.metadata["my.note"])
        self.assertEqual(record.tensors, result.tensors)

    def test_a_record_without_a_prompt(self):
        record = records.Record({"noise": records.f32([4, 8, 8], [0.5] * 256)}, {"lcm.kind": "noise"})
        self.run_fails(encode("-i", "-"), DATA, ["record 0", "prompt"], stdin=records.write([record]))

    def test_an_empty_prompt_draws(self):
        self.assertEqual(["", "-x"], prompts(self.run_ok(encode("--prompt=", "--prompt=-x")).out))
        self.run_ok(denoise("--steps", 1), stdin=self.run_ok(encode("-p", "")).out)


if __name__ == "__main__":
    harness.main()
