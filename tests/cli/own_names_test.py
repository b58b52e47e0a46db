"""TAESD in its own file names, and inpainting models: through the tools, however the pipe is split."""
import json
import re

import harness
import records
import weight_files
from harness import DATA, NO_INPUT, SD15, TESTDATA, denoise, encode, render

IMAGES, MODELS = TESTDATA / "golden/images", TESTDATA / "golden/models"
PHOTO, MASK = str(IMAGES / "init.png"), str(IMAGES / "inpaint_mask.png")
TAESD = str(MODELS / "taesd")


def image(*arguments, model=SD15):
    return [harness.ENCODE, "image", "-t1", "-m", str(model), "--no-history", *arguments]


class TinyVae(harness.ToolTest):
    def setUp(self):
        super().setUp()
        tensors = weight_files.read(f"{TAESD}/diffusion_pytorch_model.safetensors")
        half = {"encoder": {}, "decoder": {}}
        for name, tensor in tensors.items():
            which, number, rest = re.fullmatch(r"(\w+)\.layers\.(\d+)\.(.*)", name).groups()
            half[which][f"{int(number) + (which == 'decoder')}.{rest}"] = tensor
        self.encoder, self.decoder = (weight_files.write(self.path(f"taesd_{name}.safetensors"), half[name]) for name in half)

    def test_a_decoder_alone_renders(self):
        latent = harness.sample("latent", SD15)
        whole = self.run_ok(render("--metadata", "none", "--vae", TAESD), stdin=latent).out
        self.assertEqual(whole, self.run_ok(render("--metadata", "none", "--vae", self.decoder), stdin=latent).out)

    def test_an_encoder_alone_encodes_what_the_decoder_renders(self):
        whole, half = (self.run_ok(image(PHOTO, "--vae", vae)).out for vae in (TAESD, self.encoder))
        self.assertEqual(records.parse(whole)[0].tensors, records.parse(half)[0].tensors)
        self.assertNotIn("lcm.vae_sha256", records.parse(half)[0].metadata)
        words = self.run_ok(encode("a red apple", model=SD15)).out
        start = self.run_ok(image(PHOTO, "--vae", self.encoder, "-i", "-"), stdin=words).out
        self.pipe_ok(denoise("--steps", 2, "--strength", "0.5"), render("--vae", self.decoder), stdin=start)

    def test_the_other_half_is_refused(self):
        self.run_fails(image(PHOTO, "--vae", self.decoder), NO_INPUT, ["taesd_decoder.safetensors", "decoder of a VAE alone"])
        self.run_fails(render("--vae", self.encoder), NO_INPUT, ["taesd_encoder.safetensors", "encoder of a VAE alone"],
                       stdin=harness.sample("latent", SD15))


class Inpainting(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.model = self.path(self.copy_model(SD15))
        config = json.loads((self.model / "unet/config.json").read_text())
        (self.model / "unet/config.json").write_text(json.dumps({**config, "in_channels": 9}))
        weights = self.model / "unet/diffusion_pytorch_model.safetensors"
        conv_in = weight_files.read(TESTDATA / "inpaint/expected.safetensors")["conv_in.weight"]
        tensors = {**weight_files.read(weights), "conv_in.weight": conv_in}
        weights.unlink()
        weight_files.write(weights, tensors)

    def encoded(self, *arguments):
        words = self.run_ok(encode("--no-history", "a castle", model=str(self.model))).out
        return self.run_ok(image(PHOTO, *arguments, "-i", "-", model=self.model), stdin=words).out

    def test_the_record_holds_the_masked_picture(self):
        (record,) = records.parse(self.encoded("--mask", MASK))
        self.assertEqual([4, 8, 8], record.tensors["latent.masked"].shape)
        self.assertNotIn("latent.masked_std", record.tensors)
        self.assertNotEqual(record.tensors["latent.init"].data, record.tensors["latent.masked"].data)
        (drawn,) = records.parse(self.encoded("--mask", MASK, "--vae-sample", "sample", "-s", 4))
        self.assertEqual([4, 8, 8], drawn.tensors["latent.masked_std"].shape)

    def test_each_split_of_the_steps_gives_the_same_bytes(self):
        for sample in ("mode", "sample"):
            start = self.encoded("--mask", MASK, "--vae-sample", sample, "-s", 4)
            for flags in (["--sampler", "lcm"], ["--sampler", "euler-a", "--guidance", "2", "--strength", "0.8"]):
                run = denoise("--no-history", "--steps", 3, "-s", 4, *flags)
                whole = self.run_ok(run, stdin=start).out
                (record,) = records.parse(whole)
                self.assertFalse([name for name in record.tensors if name.startswith("latent.")])
                for step in (0, 1):
                    half = self.run_ok([*run, "--to", step], stdin=start).out
                    self.assertLessEqual({"latent.mask", "latent.masked"}, set(records.parse(half)[0].tensors))
                    self.assertEqual(whole, self.run_ok(denoise("--no-history"), stdin=half).out)

    def test_without_a_mask_it_says_what_to_do(self):
        words = self.run_ok(encode("a castle", model=str(self.model))).out
        for stream in (words, self.encoded()):
            result = self.run_fails(denoise("--steps", 2), DATA, ["record 0", "latent.mask"], stdin=stream)
            self.assertIn("--mask", result.lines[-1])
        (record,) = records.parse(self.encoded("--mask", MASK))
        del record.tensors["latent.masked"]
        result = self.run_fails(denoise("--steps", 2), DATA, ["record 0", "latent.masked"], stdin=records.write([record]))
        self.assertIn("--mask", result.lines[-1])


if __name__ == "__main__":
    harness.main()
