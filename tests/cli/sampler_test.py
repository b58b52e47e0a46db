"""The flags of lcm-denoise that choose sampler, schedule and noise: each changes what the record says and the picture, and is read back."""
import harness
import records
from harness import DATA, SD15, USAGE, denoise

FEW = ("--steps", 3, "-W", 64, "-H", 64)


def first(stream):
    return records.parse(stream)[0]


class SamplerFlags(harness.ToolTest):
    def drawn(self, *flags):
        return first(self.run_ok(denoise(*FEW, *flags), stdin=harness.sample("cond", SD15)).out)

    def test_each_flag_is_recorded_and_changes_the_picture(self):
        plain = self.drawn().tensors["latent"]
        ddim = self.drawn("--sampler", "ddim").tensors["latent"]
        cases = (
            (("--sampler", "euler-karras"), "lcm.schedule", '"use_karras_sigmas":true', plain),
            (("--sampler", "dpm++2m", "--karras"), "lcm.schedule", '"use_karras_sigmas":true', plain),
            (("--sampler", "ddim", "--spacing", "trailing"), "lcm.schedule", '"timestep_spacing":"trailing"', ddim),
            (("--sampler", "ddim", "--eta", "0.5"), "lcm.eta", "0.5", ddim),
            (("--guidance", 3, "--guidance-rescale", "0.7"), "lcm.schedule", '"guidance_rescale":0.7', plain),
            (("--rng", "philox"), "lcm.rng", "philox", plain),
            (("--like", "a1111"), "lcm.schedule", '"start_noise":"sigma_max"', plain),
            (("--preset", "tcd"), "lcm.eta", "0.3", plain),
            (("--batch", 2, "--one-generator"), "lcm.schedule", '"rng_rows":2', plain),
        )
        self.each(self.expect_change, cases)

    def expect_change(self, flags, key, part, other):
        record = self.drawn(*flags)
        self.assertIn(part, record.metadata[key])
        self.assertNotEqual(other, record.tensors["latent"])

    def test_a_begun_run_goes_on_without_flags_and_refuses_others(self):
        whole = self.drawn("--sampler", "unipc", "--rng", "philox")
        begun = self.run_ok(denoise(*FEW, "--sampler", "unipc", "--rng", "philox", "--to", 2), stdin=harness.sample("cond", SD15)).out
        self.assertEqual(whole.tensors["latent"], first(self.run_ok(denoise("--from", 2), stdin=begun).out).tensors["latent"])
        self.run_fails(denoise("--sampler", "euler"), USAGE, ("sampler", "unipc"), stdin=begun)
        self.run_fails(denoise("--rng", "torch-cpu"), USAGE, ("rng", "philox"), stdin=begun)

    def test_wrong_flags_are_refused(self):
        cond = harness.sample("cond", SD15)
        for flags, says in (
            (("--sampler", "eulr"), ("--sampler", "eulr")),
            (("--preset", "lightnin"), ("--preset", "lightnin")),
            (("--preset", "dmd2", "--steps", 2), ("--preset", "4 steps")),
            (("--strength", "0"), "--strength"),
            (("--strength", "0.5"), ("strength", "latent.init")),
            (("--eta", "0.5"), ("eta", "lcm")),
            (("--sampler", "euler", "--sigmas", "1"), "sigmas"),
            (("--sampler", "ddim", "--karras"), ("sigmas", "ddim")),
        ):
            with self.subTest(flags=flags):
                self.run_fails(denoise(*flags), USAGE, says, stdin=cond)
        self.run_fails(denoise("--sampler", "ddim", "--zero-snr", "--spacing", "trailing"), DATA, ("epsilon", "999"), stdin=cond)

    def test_explaining_draws_nothing(self):
        out = self.run_ok(denoise("--preset", "lightning", "--explain"), stdin=harness.sample("cond", SD15)).out.decode()
        for part in ("sampler euler, 4 steps", "14.6146", "4.0817", '"timestep_spacing":"trailing"'):
            self.assertIn(part, out)
        self.assertEqual([], self.names())


if __name__ == "__main__":
    harness.main()
