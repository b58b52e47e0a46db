"""lcm-optimize quantize: a model with the products of its UNet in int8, what it costs, and what its file must hold."""
import json
import pathlib
import signal
import unittest

import harness
import records
from adapters import KOHYA
from harness import CANNOT_CREATE, DATA, EMBEDDED, LCM, OPTIMIZE, REFUSED, SD15, USAGE, denoise, encode, render
from optimize_test import WEIGHTS, weights

# Relative RMS of the last latents in int8 against f32, after 4 steps. Steps of 1/256 of a range and of 1/127 of the largest weight of a
# row are off by 0.3 % to 1 % of the numbers; four steps of a network of some hundred products add up to a few percent.
MOST = 0.1


def quantize(model, *flags, out="out"):
    """With every layer: those of a small model win no time."""
    return [OPTIMIZE, "quantize", model, "-t1", "--every-layer", "--calibrate", "words.lcms", "-o", out, *flags]


@unittest.skipIf(harness.multiplies_bytes(), "this CPU multiplies bytes")
class Refused(harness.ToolTest):
    def test_a_cpu_without_products_of_bytes_says_so(self):
        self.write("words.lcms", self.run_ok(encode("a red apple")).out)
        self.run_fails(quantize(LCM), REFUSED, "does not multiply bytes")


@unittest.skipUnless(harness.multiplies_bytes(), "this CPU refuses int8")
class Quantize(harness.ToolTest):
    def quantized(self, model=LCM, out="out"):
        """The report of a model quantized to the folder `out`."""
        records_of_words = f"{out}.lcms"
        self.write(records_of_words, self.words(model))
        argv = [records_of_words if word == "words.lcms" else word for word in quantize(model, "--json", out=out)]
        return json.loads(self.run_ok(argv).out)

    def words(self, model=LCM):
        return self.run_ok(encode("a red apple", "penguin", model=model)).out

    def drawn(self, *flags, model="out", words=None, threads=1):
        argv = denoise("-m", model, "--steps", 4, *flags)
        return self.run_ok([f"-t{threads}" if word == "-t1" else word for word in argv], stdin=words or self.words()).out

    def latents(self, stream):
        return [record.tensors["latent"] for record in records.parse(stream) if "latent" in record.tensors]

    def test_it_is_near_f32_and_says_how_near(self):
        def check(model):
            out = pathlib.Path(model).name
            report = self.quantized(model, out)
            self.assertLess(0, report["latent_error"]["int8_f32"])
            self.assertLess(report["latent_error"]["int8_f32"], MOST)
            self.assertLess(report["bytes"]["after"], 0.6 * report["bytes"]["before"] if model == LCM else report["bytes"]["before"])
            self.assertEqual((2, 4), (report["records"], report["steps"]))
            self.assertEqual(report, json.loads((self.path(out) / "quantization.json").read_text()))
            words = self.words(model)
            found = self.latents(self.drawn("-s", 0, model=out, words=words))
            exact = self.latents(self.drawn("-s", 0, "--precision", "f32", model=model, words=words))
            errors = [records.distance(a, b) for a, b in zip(found, exact, strict=True)]
            self.assertLess(0, min(errors))
            self.assertLess(max(errors), MOST)

        self.each(check, [(LCM,), (SD15,), (EMBEDDED,)])

    def test_it_draws_in_int8_unless_told_otherwise(self):
        self.quantized()
        words = self.words()
        own, auto, int8 = (self.drawn(*flags, words=words) for flags in ((), ("--precision", "auto"), ("--precision", "int8")))
        self.assertEqual("int8", records.parse(own)[0].metadata["lcm.precision"])
        self.assertEqual(self.latents(own), self.latents(auto))
        self.assertEqual(self.latents(own), self.latents(int8))
        numbers = self.drawn("--precision", "f32", words=words)
        self.assertEqual("f32", records.parse(numbers)[0].metadata["lcm.precision"])
        self.assertLess(records.distance(self.latents(own)[0], self.latents(numbers)[0]), MOST)
        self.assertTrue(self.run_ok(render("-m", "out", "-o", "picture-%d.png"), stdin=own))

    def test_the_same_bytes_for_any_threads_and_any_split(self):
        self.quantized()
        words = self.words()
        whole = self.drawn(words=words)
        for threads in (2, 3):
            self.assertEqual(self.latents(whole), self.latents(self.drawn(words=words, threads=threads)))
        begun = self.drawn("--to", 2, words=words)
        self.assertEqual(self.latents(whole), self.latents(self.run_ok(denoise("-m", "out"), stdin=begun).out))

    def test_a_lora_changes_it(self):
        """What an adapter changes is computed in numbers, so that the change is not rounded to steps."""
        self.quantized(SD15)
        words = self.words(SD15)
        plain = self.drawn(words=words)
        merged, beside = (self.drawn("--lora", KOHYA, "--lora-mode", mode, words=words) for mode in ("merge", "runtime"))
        numbers = self.drawn("--lora", KOHYA, "--precision", "f32", words=words)
        for changed in (merged, beside):
            self.assertLess(records.distance(self.latents(changed)[0], self.latents(numbers)[0]), MOST)
        self.assertLess(records.distance(self.latents(merged)[0], self.latents(numbers)[0]),
                        records.distance(self.latents(plain)[0], self.latents(numbers)[0]))

    def test_what_is_not_quantized_is_refused_with_the_way_to_make_one(self):
        failed = self.run_fails(denoise("--precision", "int8", "-m", LCM), USAGE, "not quantized", stdin=self.words())
        self.assertIn("lcm-optimize quantize", failed.lines[1])

    def test_what_it_refuses(self):
        self.quantized()
        self.write("empty.lcms", b"")
        self.write("words.lcms", self.words())
        self.each(lambda argv, code, says: self.run_fails(argv, code, says), [
            (quantize("out", out="twice"), USAGE, "quantized already"),
            (quantize(LCM), CANNOT_CREATE, "out"),
            (quantize(LCM, out="missing/out"), CANNOT_CREATE, "missing/out"),
            (quantize(f"{SD15}.safetensors", out="file"), USAGE, "checkpoint"),
            ([OPTIMIZE, "quantize", LCM, "--calibrate", "empty.lcms", "-o", "none"], DATA, "empty"),
            ([OPTIMIZE, "quantize", LCM, "-o", "none"], USAGE, "--calibrate"),
        ])

    def test_a_file_that_does_not_fit_is_refused_by_name(self):
        """Scales that are missing, of another shape or zero."""
        self.quantized()
        path = self.path("out") / WEIGHTS
        good, words = path.read_bytes(), self.words()
        length = int.from_bytes(good[:8], "little")
        header = json.loads(good[8:8 + length])
        name = next(name for name in header if name.endswith(".weight_scale"))
        begin, end = header[name]["data_offsets"]

        def spoiled(text, data=good[8 + length:]):
            text = text.ljust(length)
            path.write_bytes(len(text).to_bytes(8, "little") + text.encode() + data)
            self.run_fails(denoise("-m", "out"), DATA, [WEIGHTS, name], stdin=words)

        text = good[8:8 + length].decode()
        spoiled(text.replace(f'"{name}"', f'"{name.replace("weight_scale", "weight_skale")}"'))
        count = (end - begin) // 4
        spoiled(text.replace(f'"shape":[{count}],"data_offsets":[{begin},{end}]', f'"shape":[1,{count}],"data_offsets":[{begin},{end}]'))
        data = bytearray(good[8 + length:])
        data[begin:begin + 4] = bytes(4)
        spoiled(text, bytes(data))

    def test_a_stop_leaves_nothing(self):
        self.write("words.lcms", self.words(EMBEDDED))
        process = self.start(quantize(EMBEDDED, "--steps", 50, "--progress", "plain"))
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=harness.TIME_LIMIT)
        self.assertEqual(harness.died_of(signal.SIGINT), process.returncode)
        self.assertEqual(["words.lcms"], self.names())

    def test_for_people(self):
        self.write("words.lcms", self.words())
        said = self.run_ok(quantize(LCM)).out.decode()
        for text in ("products in int8", "bytes of the UNet", "error at 4 steps to f32", "of bf16 to f32"):
            self.assertIn(text, said)

    def test_other_parts_are_as_they_were(self):
        self.quantized()
        for part in ("text_encoder/model", "vae/diffusion_pytorch_model"):
            name = f"{part}.safetensors"
            self.assertEqual((pathlib.Path(LCM) / name).read_bytes(), (self.path("out") / name).read_bytes())
        kinds = {kind for kind, _, _ in weights(self.path("out") / WEIGHTS).values()}
        self.assertEqual({"F32", "I8", "U8"}, kinds)


if __name__ == "__main__":
    harness.main()
