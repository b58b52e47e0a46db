"""--precision: near the picture of f32, recorded, kept by whoever goes on."""

import harness
import records
from harness import DATA, DENOISE, EMBEDDED, LCM, SD15, USAGE, denoise, render

MOST = 0.03  # relative RMS of the final latents against f32: what the rounding of bf16 costs the reference itself


def first(stream):
    return records.parse(stream)[0]


class Precision(harness.ToolTest):
    def drawn(self, model, *flags):
        return self.run_ok(denoise("--steps", 4, *flags), stdin=harness.sample("cond", model)).out

    def test_bf16_is_near_f32(self):
        def check(model):
            exact, near = first(self.drawn(model)), first(self.drawn(model, "--precision", "bf16"))
            self.assertEqual(["f32", "bf16"], [record.metadata["lcm.precision"] for record in (exact, near)])
            error = records.distance(near.tensors["latent"], exact.tensors["latent"])
            self.assertLess(0, error)
            self.assertLess(error, MOST)

        self.each(check, [(LCM,), (SD15,)])

    def test_auto_is_one_of_them(self):
        drawn = first(self.drawn(LCM, "--precision", "auto"))
        same = first(self.drawn(LCM, "--precision", drawn.metadata["lcm.precision"]))
        self.assertEqual(same.tensors, drawn.tensors)

    def test_what_is_begun_goes_on_as_it_began(self):
        whole = self.drawn(LCM, "--precision", "bf16")
        begun = self.drawn(LCM, "--precision", "bf16", "--to", 2)
        on = self.run_ok(denoise(), stdin=begun).out
        self.assertEqual(first(whole).tensors["latent"], first(on).tensors["latent"])
        self.run_fails(denoise("--precision", "f32"), DATA, ["lcm.precision", "bf16"], stdin=begun)

    def test_the_renderer_takes_that_of_the_record(self):
        drawn = self.drawn(LCM, "--precision", "bf16")
        own = self.run_ok(render(), stdin=drawn).out
        self.assertEqual(own, self.run_ok(render("--precision", "bf16"), stdin=drawn).out)
        self.assertNotEqual(own, self.run_ok(render("--precision", "f32"), stdin=drawn).out)

    def test_any_number_of_threads_gives_the_same_bytes(self):
        def check(model):
            stream = harness.sample("cond", model)
            drawn = [first(self.run_ok([DENOISE, "--precision", "bf16", "--steps", 1, "-t", threads], stdin=stream).out)
                     for threads in (1, 2, 3, 4)]
            for record in drawn[1:]:
                self.assertEqual(drawn[0].tensors, record.tensors)

        self.each(check, [(LCM,), (EMBEDDED,)])

    def test_an_unknown_word_is_refused(self):
        self.run_fails(denoise("--precision", "fp8"), USAGE, "--precision", stdin=harness.sample("cond"))


if __name__ == "__main__":
    harness.main()
