"""Picture k of a run has seed + k, counted over records, repeats, files and final marks."""
import harness
import records
from harness import USAGE, denoise, encode


def seeds(stream):
    return [int(record.metadata["lcm.seed"]) for record in records.parse(stream) if record.metadata["lcm.kind"] == "latent"]


class Seeds(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.two = self.run_ok(encode("one", "two")).out
        self.write("two.lcms", self.two)
        self.write("one.lcms", harness.sample("cond"))

    def run_of(self, *arguments, stdin=b""):
        return seeds(self.run_ok(denoise("--to", 0, *arguments), stdin=stdin).out)

    def test_the_default_is_0(self):
        self.assertEqual([0, 1], self.run_of("two.lcms"))

    def test_over_files_and_joined_streams(self):
        self.assertEqual([10, 11, 12], self.run_of("-s", 10, "two.lcms", "one.lcms"))
        self.assertEqual([10, 11, 12], self.run_of("-s", 10, stdin=self.two + harness.sample("cond")))

    def test_over_end_records(self):
        lines = self.run_ok(encode("--prompt-file", "-"), stdin=b"one\ntwo\n").out
        self.assertEqual([5, 6, 7, 8], self.run_of("-s", 5, stdin=lines * 2))

    def test_over_repeats(self):
        self.assertEqual([3, 4, 5, 6], self.run_of("-s", 3, "-b", 2, "two.lcms"))

    def test_a_seed_of_64_bits(self):
        largest = 2**64 - 1
        self.assertEqual([largest], self.run_of("-s", largest, "one.lcms"))

    def test_a_resumed_picture_keeps_its_own(self):
        started = self.run_ok(denoise("--to", 0, "-s", 40, "two.lcms")).out
        self.assertEqual([40, 41], seeds(self.run_ok(denoise(), stdin=started).out))
        self.assertEqual([40, 41], seeds(self.run_ok(denoise("-s", 40), stdin=started).out))
        self.run_fails(denoise("-s", 9), USAGE, ["--seed", "40"], stdin=started)
        self.run_fails(denoise("-b", 2), USAGE, "--batch", stdin=started)

    def test_another_seed_is_another_picture(self):
        first, second = (records.parse(self.run_ok(denoise("--to", 0, "-s", seed, "one.lcms")).out)[0] for seed in (1, 2))
        self.assertNotEqual(first.tensors["latent"], second.tensors["latent"])


if __name__ == "__main__":
    harness.main()
