"""What the tools say on stderr: nothing by default, less with -q, more with -v, steps with --progress; never on stdout."""
import json
import re

import harness
import records
from harness import NO_INPUT, RENDER, denoise, encode, render


class Progress(harness.ToolTest):
    def steps_of(self, mode):
        """stderr of a run of two pictures, after checking that stdout is what it is without progress."""
        stream = harness.sample("cond")
        run = denoise("--steps", 2, "-b", 2, "--no-history")
        result = self.run_any([*run, f"--progress={mode}"], stdin=stream)
        self.assertEqual(self.run_ok(run, stdin=stream).out, result.out)
        return result.err.decode()

    def test_json_is_one_object_a_step(self):
        lines = [json.loads(line) for line in self.steps_of("json").splitlines()]
        self.assertEqual([(0, 1), (0, 2), (1, 1), (1, 2)], [(line["record"], line["step"]) for line in lines])
        for line in lines:
            self.assertEqual(["eta_s", "record", "step", "steps"], sorted(line))
            self.assertEqual(2, line["steps"])
            self.assertGreaterEqual(line["eta_s"], 0)

    def test_plain_is_one_line_a_step(self):
        expected = [f"lcm-denoise: picture {picture}: step {step} of 2" for picture in (0, 1) for step in (1, 2)]
        self.assertEqual(expected, self.steps_of("plain").splitlines())

    def test_none_is_nothing(self):
        self.assertEqual("", self.steps_of("none"))


class Preview(harness.ToolTest):
    def test_it_is_on_stderr_and_changes_no_picture(self):
        stream = harness.sample("latent")
        result = self.run_any(render("--preview", "blocks"), stdin=stream)
        self.assertEqual(0, result.code)
        self.assertEqual(self.run_ok(render(), stdin=stream).out, result.out)
        self.assertEqual(32, len(result.lines))  # 64 rows of pixels, two a line
        self.assertIn("\u2580", result.lines[0])


class Levels(harness.ToolTest):
    def test_a_drawn_seed_is_told_and_recorded(self):
        result = self.run_any(denoise("--seed", "random", "--steps", 1), stdin=harness.sample("cond"))
        told = re.fullmatch(r"lcm-denoise: seed (\d+)\n", result.err.decode())
        self.assertTrue(told, result)
        self.assertEqual(told[1], records.parse(result.out)[0].metadata["lcm.seed"])

    def test_quiet_leaves_out_warnings(self):
        self.run_ok(denoise("--seed", "random", "--steps", 1, "-q"), stdin=harness.sample("cond"))

    def test_quiet_still_tells_errors(self):
        self.run_fails([RENDER, "-q", "missing.lcms"], NO_INPUT, "missing.lcms")

    def test_verbose_labels_its_lines(self):
        result = self.run_any([RENDER, "-v", "missing.lcms"])
        self.assertEqual(NO_INPUT, result.code)
        self.assertTrue(result.lines[0].startswith("lcm-render: error: missing.lcms: "), result)

    def test_control_characters_never_reach_the_terminal_raw(self):
        result = self.run_fails([RENDER, "\x1b]52;c;aGk=\x07\n.lcms"], NO_INPUT, r"\x1B]52;c;aGk=\x07\x0A.lcms")
        self.assertNotIn(b"\x1b", result.err)

    def test_an_option_s_value_is_escaped_too(self):
        result = self.run_any(encode("-p", "x", "--progress=\x1b[31m\n"))
        self.assertEqual(harness.USAGE, result.code)
        self.assertNotIn(b"\x1b", result.err)
        self.assertLessEqual(len(result.lines), 2, result)


if __name__ == "__main__":
    harness.main()
