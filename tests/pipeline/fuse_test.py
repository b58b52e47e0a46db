"""Pictures denoised as one batch are what each is alone, but for rounding."""
import json
import math

import harness
import records
from harness import DATA, DENOISE, USAGE, denoise, encode

MOST = 1e-4  # relative RMS of a latent in f32: batched and single products add up in other orders, four steps long


def distance(found, exact):
    """Relative RMS of two latents."""
    a, b = found.floats(), exact.floats()
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / sum(y * y for y in b))


class Fuse(harness.ToolTest):
    def near(self, single, fused):
        """The records of two streams: the same but for the rounding of latents."""
        single, fused = records.parse(single), records.parse(fused)
        self.assertEqual(len(single), len(fused))
        for one, other in zip(single, fused):
            a, b = one.tensors.pop("latent", None), other.tensors.pop("latent", None)
            changed = {"lcm.sha256", "lcm.header_sha256", "lcm.stream_sha256"}
            self.assertEqual({key: value for key, value in one.metadata.items() if key not in changed},
                             {key: value for key, value in other.metadata.items() if key not in changed})
            self.assertEqual(set(one.tensors), set(other.tensors))
            if a:
                self.assertLess(distance(b, a), MOST)

    def both(self, text, *flags):
        """Streams of single and of fused runs."""
        return [self.run_ok(denoise("--no-history", *flags, *fuse), stdin=text).out for fuse in ([], ["--fuse-batch", 3])]

    def test_near_what_each_is_alone(self):
        def check(model, *flags):
            text = self.run_ok(encode("one", "two", "three", "four", model=model)).out
            single, fused = self.both(text, "--steps", 4, "-s", 7, *flags)
            self.near(single, fused)

        self.each(check, [(harness.LCM,), (harness.SD15, "--guidance", 3), (harness.LCM, "-b", 2), (harness.SD15, "--sampler", "euler-a")])

    def test_the_same_company_gives_the_same_bytes(self):
        text = self.run_ok(encode("one", "two", "three")).out
        first, second = [self.run_ok([DENOISE, "--no-history", "-t", threads, "--fuse-batch", 3], stdin=text).out for threads in (1, 2)]
        self.assertEqual(first, second)

    def test_pictures_that_do_not_fit_go_apart(self):
        wishes = (("a", "64x64", 2), ("b", "48x64", 2), ("c", "64x64", 3))
        lines = [{"prompt": prompt, "size": size, "steps": steps} for prompt, size, steps in wishes]
        self.write("requests", "".join(json.dumps(line) + "\n" for line in lines).encode())
        text = self.run_ok([harness.ENCODE, "-t1", "-m", harness.LCM, "--requests", "requests"]).out
        self.near(*self.both(text))

    def test_a_run_that_is_taken_up_again(self):
        text = self.run_ok(encode("one", "two", "three")).out
        whole = self.run_ok(denoise("--no-history", "--steps", 3, "--fuse-batch", 3), stdin=text).out
        half = self.run_ok(denoise("--no-history", "--steps", 3, "--to", 1, "--fuse-batch", 3), stdin=text).out
        self.assertEqual(whole, self.run_ok(denoise("--no-history", "--fuse-batch", 3), stdin=half).out)

    def test_a_bad_record_ends_alone_and_in_its_place(self):
        good = records.parse(self.run_ok(encode("one", "two", "three", "four")).out)
        good[1].tensors["text.embeds"].shape = [1, good[1].tensors["text.embeds"].shape[0] * good[1].tensors["text.embeds"].shape[1]]
        good[1].metadata["lcm.id"] = "bad"
        stream = records.write(good)

        def run(*flags):
            result = self.run_any(denoise("--no-history", "--keep-going", *flags), stdin=stream)
            self.assertEqual(DATA, result.code, result)
            return result
        single, fused = run(), run("--fuse-batch", 4)
        self.assertEqual(single.err, fused.err)
        self.near(single.out, fused.out)
        self.assertEqual("bad", records.parse(fused.out)[1].metadata["lcm.id"])
        self.run_fails(denoise("--fuse-batch", 4), DATA, "text.embeds", stdin=stream)

    def test_steps_are_counted_for_each_picture(self):
        text = self.run_ok(encode("one", "two", "three")).out
        result = self.run_any(denoise("--steps", 2, "--fuse-batch", 2, "--stats"), stdin=text)
        stats = json.loads(result.lines[-1])["stats"]
        self.assertEqual((3, 6), (stats["records"], stats["steps"]))
        self.assertEqual(4, stats["stages"]["step"]["count"])

    def test_what_is_no_number_of_pictures(self):
        self.run_fails(denoise("--fuse-batch", 0), USAGE, "--fuse-batch", stdin=harness.sample("cond"))


if __name__ == "__main__":
    harness.main()
