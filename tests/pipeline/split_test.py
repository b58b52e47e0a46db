"""A picture denoised in two processes, split after any step, has the bits of the one denoised at once."""
import harness
import records
from harness import DATA, USAGE, denoise, encode, render


class Split(harness.ToolTest):
    def check(self, text, steps, *flags):
        """Splits after each of `steps`."""
        self.write("text.lcms", text)
        whole = self.run_ok(denoise("--no-history", *flags, "text.lcms")).out

        def at(step):
            half = self.run_ok(denoise("--no-history", *flags, "--to", step, "text.lcms")).out
            self.assertEqual(str(step), records.parse(half)[0].metadata["lcm.step"])
            self.assertEqual(whole, self.run_ok(denoise("--no-history", "--from", step), stdin=half).out)

        self.each(at, [(step,) for step in steps])

    def test_with_a_guidance_embedding(self):
        self.check(harness.sample("cond"), range(5), "--steps", 4, "-s", 3)

    def test_with_guidance_by_two_passes(self):
        self.check(harness.sample("cond", harness.SD15), range(3), "--steps", 2, "--guidance", "1.5", "-s", 3)

    def test_with_own_timesteps(self):
        self.check(harness.sample("cond"), [2], "--timesteps", "999,499,99")

    def test_where_the_last_random_numbers_are_drawn_apart(self):
        self.check(harness.sample("cond"), [1], "--steps", 2, "-W", 72, "-H", 40)  # 4 x 5 x 9 numbers: no multiple of 16

    def test_a_process_for_every_step(self):
        whole = self.run_ok(denoise("--no-history", "--steps", 3), stdin=harness.sample("cond")).out
        stages = [denoise("--no-history", "--steps", 3, "--to", 1), denoise("--no-history", "--to", 2), denoise("--no-history")]
        self.assertEqual(whole, self.pipe_ok(*stages, stdin=harness.sample("cond")))

    def test_a_batch_over_two_records(self):
        text = self.run_ok(encode("one", "two")).out
        run = denoise("--no-history", "--steps", 2, "-b", 2, "-s", 5)
        split = self.pipe_ok([*run, "--to", 1], denoise("--no-history", "--from", 1), stdin=text)
        self.assertEqual(self.run_ok(run, stdin=text).out, split)


class HalfWay(harness.ToolTest):
    half = None

    def setUp(self):
        super().setUp()
        if HalfWay.half is None:
            HalfWay.half = self.run_ok(denoise("--steps", 3, "--to", 1), stdin=harness.sample("cond")).out

    def test_the_state_is_all_there(self):
        (record,) = records.parse(self.half)
        self.assertLessEqual({"latent", "latent.denoised", "rng.state", "text.embeds"}, set(record.tensors))
        self.assertEqual([5056], record.tensors["rng.state"].shape)
        needed = ("sampler", "schedule", "steps", "timesteps", "timestep", "guidance", "seed", "rng", "rng_draws")
        self.assertLessEqual({f"lcm.{key}" for key in needed}, set(record.metadata))

    def test_its_preview_can_be_rendered(self):
        self.assertTrue(self.run_ok(render(), stdin=self.half).out.startswith(b"\x89PNG"))
        noise = self.run_ok(denoise("--to", 0), stdin=harness.sample("cond")).out
        self.run_fails(render(), DATA, ["record 0", "latent.denoised"], stdin=noise)

    def test_a_flag_that_contradicts_the_record(self):
        self.each(lambda flags, says: self.run_fails(denoise(*flags), USAGE, says, stdin=self.half), [
            (("--from", 2), "from"), (("--steps", 4), "steps"), (("--timesteps", "9,8,7"), "timesteps"),
        ])

    def test_a_state_that_was_changed(self):
        def check(change, says):
            (record,) = records.parse(self.half)
            change(record)
            self.run_fails(denoise("-m", harness.LCM), DATA, ["record 0", says], stdin=records.write([record]))

        self.each(check, [
            (lambda record: record.tensors.pop("rng.state"), "rng.state"),
            (lambda record: record.metadata.pop("lcm.schedule"), "lcm.schedule"),
            (lambda record: record.metadata.update({"lcm.timestep": "5"}), "lcm.timestep"),
            (lambda record: record.metadata.update({"lcm.timesteps": "[9,8,7]"}), "lcm.timesteps"),
            (lambda record: record.metadata.update({"lcm.guidance": "7,5"}), "lcm.guidance"),
            (lambda record: record.metadata.update({"lcm.unet_sha256": "0" * 64}), "lcm.unet_sha256"),
        ])


if __name__ == "__main__":
    harness.main()
