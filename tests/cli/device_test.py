"""--device: a GPU where there is one, and a sentence where there is none. What a GPU computes is tests/gpu."""

import json
import unittest

import harness
import records
from harness import ENCODE, UNAVAILABLE, USAGE, denoise, render

TOOLS = ([ENCODE, "text", "an apple"], denoise("--steps", 1), render())


class Device(harness.ToolTest):
    def sample(self, argv):
        return b"" if argv[0] == ENCODE else harness.sample("latent" if argv == render() else "cond")

    def chosen(self, *flags):
        """What `--stats` names."""
        ran = self.run_any(denoise("--steps", 1, "--stats", *flags), harness.sample("cond"))
        [line] = ran.lines
        return json.loads(line)["stats"]["compute"]["device"]

    def test_the_cpu_is_always_there(self):
        self.assertEqual("cpu", self.chosen("--device", "cpu"))
        drawn = self.run_ok(denoise("--steps", 1, "--device", "cpu"), stdin=harness.sample("cond")).out
        self.assertNotIn("lcm.device", records.parse(drawn)[0].metadata)

    def test_a_gpu_that_is_not_there_is_told_of(self):
        self.each(lambda *argv: self.run_fails([*argv, "--device", "cuda:99"], UNAVAILABLE, "cuda:99", stdin=self.sample([*argv])), TOOLS)

    def test_without_a_gpu_auto_is_the_cpu(self):
        if self.chosen() != "cpu":
            raise unittest.SkipTest("this machine has a GPU")
        self.run_fails(denoise("--device", "cuda"), UNAVAILABLE, "cuda", stdin=harness.sample("cond"))

    def test_an_unknown_word_is_refused(self):
        self.each(lambda *argv: self.run_fails([*argv, "--device", "gpu"], USAGE, ["--device", "gpu"], stdin=self.sample([*argv])), TOOLS)


if __name__ == "__main__":
    harness.main()
