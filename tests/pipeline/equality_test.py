"""One pipe, the same steps over files, a batch and single runs: the same latents and pictures, byte for byte."""
import harness
import records
from harness import ENCODE, denoise, encode, render

OWN_TO_A_STREAM = {"lcm.seq", "lcm.final", "lcm.count", "lcm.stream_sha256", "lcm.header_sha256"}


def content(record):
    """Everything in a record but its place in a stream."""
    return record.tensors, {key: value for key, value in record.metadata.items() if key not in OWN_TO_A_STREAM}


class PipeAndFiles(harness.ToolTest):
    def check(self, first, second, third):
        piped = self.pipe_ok(first, second, third)
        self.run_ok([*first, "-o", "text.lcms"])
        self.run_ok([*second, "text.lcms", "-o", "latent.lcms"])
        self.run_ok([*third, "latent.lcms", "-o", "picture.png"])
        self.assertEqual(piped, self.read("picture.png"))

    def test_with_a_guidance_embedding(self):
        first, second = encode("a red apple"), denoise("-s", 7, "--steps", 3)
        self.check(first, second, render("--format", "png"))
        self.assertEqual(self.pipe_ok(first, second), self.read("latent.lcms"))

    def test_with_the_embedded_model_and_two_threads(self):
        self.check([ENCODE, "text", "-t2", "a red apple"], ["lcm-denoise", "-t2", "-s", 7, "--steps", 2], ["lcm-render", "-t2"])


class Batch(harness.ToolTest):
    def latents(self, text, *flags):
        """A batch of three, after checking that it is three single runs."""
        self.write("text.lcms", text)
        batch = self.run_ok(denoise("-b", 3, "-s", 7, *flags, "text.lcms")).out
        self.assertEqual(3, len(records.parse(batch)))
        for number, record in enumerate(records.parse(batch)):
            self.run_ok(denoise("-s", 7 + number, *flags, "text.lcms", "-o", f"single-{number}.lcms"))
            self.assertEqual(content(records.parse(self.read(f"single-{number}.lcms"))[0]), content(record))
        return batch

    def test_is_single_runs_with_the_next_seeds(self):
        self.run_ok(render("-o", "batch-%d.png"), stdin=self.latents(harness.sample("cond"), "--steps", 2))
        for number in range(3):
            self.run_ok(render(f"single-{number}.lcms", "-o", f"single-{number}.png"))
            self.assertEqual(self.read(f"single-{number}.png"), self.read(f"batch-{number}.png"))
        self.assertEqual(3, len({self.read(f"batch-{number}.png") for number in range(3)}))

    def test_with_guidance_by_two_passes_and_a_negative_prompt(self):
        self.latents(self.run_ok(encode("a red apple", "-N", "blurry", model=harness.SD15)).out, "--steps", 2, "--guidance", 2)

    def test_a_stream_of_records_is_single_runs_too(self):
        stream = self.run_ok(denoise("--steps", 2), stdin=self.run_ok(encode("one", "two")).out).out
        for seed, (prompt, record) in enumerate(zip(("one", "two"), records.parse(stream))):
            single = self.run_ok(denoise("--steps", 2, "-s", seed), stdin=self.run_ok(encode(prompt)).out).out
            self.assertEqual(record.tensors, records.parse(single)[0].tensors)


if __name__ == "__main__":
    harness.main()
