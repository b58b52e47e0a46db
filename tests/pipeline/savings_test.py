"""--merge-tokens and --reuse-deep: near the whole picture, recorded, and the same bytes for any split of the run."""

import harness
import records
from harness import DATA, USAGE, denoise, render

# Relative RMS of the final latents against the whole network, over four steps of the tiny random models: half of what unrelated latents are
# apart (more than 1). It proves that the picture is near, not that it is good.
MOST = 0.5
FLAGS = (("--merge-tokens", "0.5"), ("--reuse-deep", "2"), ("--merge-tokens", "0.25", "--reuse-deep", "3"))


def first(stream):
    return records.parse(stream)[0]


class Savings(harness.ToolTest):
    def drawn(self, model, *flags):
        return self.run_ok(denoise("--no-history", "--steps", 4, *flags), stdin=harness.sample("cond", model)).out

    def test_near_the_whole_picture_and_recorded(self):
        def check(model, *flags):
            whole, spared = first(self.drawn(model)), first(self.drawn(model, *flags))
            error = records.distance(spared.tensors["latent"], whole.tensors["latent"])
            self.assertLess(0, error)
            self.assertLess(error, MOST)
            wanted = dict(zip(flags[::2], flags[1::2]))
            for flag, key in (("--merge-tokens", "lcm.token_merge"), ("--reuse-deep", "lcm.reuse_deep")):
                self.assertEqual(wanted.get(flag), spared.metadata.get(key))
                self.assertNotIn(key, whole.metadata)
            self.assertEqual(set(whole.tensors), set(spared.tensors))

        self.each(check, [(model, *flags) for model in (harness.LCM, harness.SD15) for flags in FLAGS])

    def test_what_spares_nothing_changes_nothing(self):
        self.assertEqual(self.drawn(harness.LCM), self.drawn(harness.LCM, "--merge-tokens", "0", "--reuse-deep", "1"))

    def test_split_after_any_step(self):
        def check(model, precision, *flags):
            whole = self.drawn(model, "--precision", precision, *flags)
            for step in range(4):
                half = self.drawn(model, "--precision", precision, *flags, "--to", step)
                self.assertEqual(whole, self.run_ok(denoise("--no-history"), stdin=half).out, step)

        self.each(check, [(harness.LCM, "f32", *FLAGS[0]), (harness.SD15, "f32", *FLAGS[1]), (harness.LCM, "bf16", *FLAGS[2])])

    def test_the_kept_depth_travels_only_where_it_is_used(self):
        for step, there in ((1, True), (2, False), (3, True), (4, False)):
            self.assertEqual(there, "unet.deep" in first(self.drawn(harness.LCM, "--reuse-deep", 2, "--to", step)).tensors)

    def test_a_flag_that_contradicts_the_record(self):
        half = self.drawn(harness.LCM, *FLAGS[2], "--to", 1)
        self.each(lambda *flags: self.run_fails(denoise(*flags), USAGE, "contradicts the record", stdin=half),
                  [("--merge-tokens", 0.5), ("--reuse-deep", 1)])
        record = first(half)
        record.tensors.pop("unet.deep")
        self.run_fails(denoise("-m", harness.LCM), DATA, ["record 0", "unet.deep"], stdin=records.write([record]))

    def test_values_out_of_range(self):
        self.each(lambda *flags: self.run_fails(denoise(*flags), USAGE, flags[0], stdin=harness.sample("cond")),
                  [("--merge-tokens", 0.8), ("--merge-tokens", -1), ("--reuse-deep", 0)])


class TinyVAE(harness.ToolTest):
    def test_it_stands_in_for_the_one_that_the_record_was_made_with(self):
        tiny = harness.TESTDATA / "golden/models/taesd"
        picture = self.run_ok(render(), stdin=harness.sample("latent")).out
        self.write("a.png", picture)
        started = self.run_ok([harness.ENCODE, "image", "-t1", "a.png", "-m", harness.LCM], stdin=b"").out
        self.assertIn("lcm.vae_sha256", first(started).metadata)
        self.write("text.lcms", harness.sample("cond"))
        started = self.run_ok([harness.ENCODE, "image", "-t1", "a.png", "-m", harness.LCM, "-i", "text.lcms"]).out
        latent = self.run_ok(denoise("--steps", 2), stdin=started).out
        for stream in (latent, harness.sample("latent")):
            small = self.run_ok(render("--vae", tiny), stdin=stream).out
            self.assertTrue(small.startswith(b"\x89PNG"))
            self.assertNotEqual(small, self.run_ok(render(), stdin=stream).out)


if __name__ == "__main__":
    harness.main()
