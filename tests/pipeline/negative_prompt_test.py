"""The negative prompt and guidance: what they change, and where they must change nothing."""
import harness
import records
from harness import denoise, encode


class NegativePrompt(harness.ToolTest):
    def latent(self, guidance, *arguments, model=harness.SD15):
        text = self.run_ok(encode("a red apple", *arguments, model=model)).out if arguments else harness.sample("cond", model)
        return records.parse(self.run_ok(denoise("--steps", 2, "--guidance", guidance), stdin=text).out)[0].tensors["latent"]

    def test_it_acts_where_guidance_is_above_1(self):
        self.assertNotEqual(self.latent(2), self.latent(2, "-N", "blurry"))

    def test_it_does_nothing_at_guidance_1(self):
        self.assertEqual(self.latent(1), self.latent(1, "-N", "blurry"))

    def test_the_empty_one_is_the_default(self):
        self.assertEqual(self.latent(2), self.latent(2, "-N", ""))

    def test_guidance_acts_with_either_kind_of_model(self):
        for model in (harness.SD15, harness.LCM):
            self.assertNotEqual(self.latent(2, model=model), self.latent(4, model=model))


if __name__ == "__main__":
    harness.main()
