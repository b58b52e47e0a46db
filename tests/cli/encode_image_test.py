"""Pictures as input: start latents and masks, control maps, features; and what is refused."""
import json
import shutil
import struct
import zlib

import harness
import records
from harness import DATA, NO_INPUT, SD15, TESTDATA, USAGE, denoise, encode

IMAGES = TESTDATA / "golden/images"
PHOTO, MASK, UNEVEN, MAP = (str(IMAGES / name) for name in ("init.png", "inpaint_mask.png", "init_uneven.png", "control.png"))
IMAGE_ENCODER = str(TESTDATA / "golden/models/ip-adapter/models/image_encoder")


def image(*arguments, model=SD15):
    """Arguments of `lcm-encode image` with a tiny model and one thread."""
    return [harness.ENCODE, "image", "-t1", "-m", model, *arguments]


def png_of(rows, *chunks):
    """A grey picture of these rows, with chunks (name, bytes) behind its header."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0))
    more = b"".join(chunk(name.encode(), data) for name, data in chunks)
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + more + pixels + chunk(b"IEND", b"")


def png(width, height, level=128):
    """A picture of one grey."""
    return png_of([[level] * width] * height)


class Pictures(harness.ToolTest):
    def encoded(self, *arguments, **options):
        return records.parse(self.run_ok(image(*arguments), **options).out)

    def test_a_start_latent_and_what_is_said_of_it(self):
        record = self.encoded(PHOTO)[0]
        self.assertEqual(["latent.init"], list(record.tensors))
        self.assertEqual(("F32", [4, 8, 8]), (record.tensors["latent.init"].dtype, record.tensors["latent.init"].shape))
        said = {key: record.metadata[f"lcm.{key}"] for key in ("kind", "size", "vae_scale", "latent_space", "layout", "source")}
        self.assertEqual({"kind": "cond", "size": "64x64", "vae_scale": "0.18215", "latent_space": "scaled", "layout": "CHW",
                          "source": "compositeWithTrainedAlgorithmicMedia"}, said)
        self.assertEqual(64, len(record.metadata["lcm.vae_sha256"]))
        self.assertNotIn("lcm.seed", record.metadata)

    def test_the_size_is_rounded_down_or_given(self):
        self.write("odd.png", png(45, 70))
        for arguments, size, shape in ((["odd.png"], "40x64", [4, 8, 5]), (["odd.png", "--size", "24x16"], "24x16", [4, 2, 3])):
            record = self.encoded(*arguments)[0]
            self.assertEqual(size, record.metadata["lcm.size"])
            self.assertEqual(shape, record.tensors["latent.init"].shape)

    def test_a_picture_that_lies_on_its_side_is_turned_upright(self):
        rows, turned = [[10, 200], [40, 90], [160, 250]], [[160, 40, 10], [250, 90, 200]]  # by a quarter, clockwise
        exif = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
        self.write("upright.png", png_of(turned))
        for name, chunk in (("side.png", exif), ("marked.png", b"Exif\0\0" + exif)):
            self.write(name, png_of(rows, ("eXIf", chunk)))
            latents = [self.encoded(each, "--size", "24x16", "--fit", "stretch")[0].tensors for each in ("upright.png", name)]
            self.assertEqual(*latents)
        self.write("broken.png", png_of(turned, ("eXIf", exif[:9])))
        self.assertEqual(*(self.encoded(each, "--size", "24x16")[0].tensors for each in ("upright.png", "broken.png")))

    def test_each_fit_gives_another_picture(self):
        latents = [self.encoded(UNEVEN, "--size", "32x64", "--fit", how)[0].tensors["latent.init"].data
                   for how in ("crop", "pad", "stretch")]
        self.assertEqual(3, len(set(latents)))
        self.assertEqual(latents[0], self.encoded(UNEVEN, "--size", "32x64")[0].tensors["latent.init"].data)

    def test_each_picture_becomes_a_record(self):
        stream = self.run_ok(image(PHOTO, MASK, PHOTO)).out
        first, second, third = records.parse(stream)
        self.assertEqual(first.tensors, third.tensors)
        self.assertNotEqual(first.tensors, second.tensors)
        self.assertEqual(3, len({record.metadata["lcm.id"] for record in (first, second, third)}))
        self.assertEqual(stream, self.run_ok(image(PHOTO, MASK, PHOTO)).out)

    def test_stdin_is_a_picture_too(self):
        data = (IMAGES / "init.png").read_bytes()
        self.assertEqual(self.encoded(PHOTO)[0].tensors, self.encoded("-", stdin=data)[0].tensors)

    def test_a_mask_is_binary_at_latent_size(self):
        mask = self.encoded(PHOTO, "--mask", MASK)[0].tensors["latent.mask"]
        self.assertEqual([1, 8, 8], mask.shape)
        self.assertEqual({0.0, 1.0}, set(mask.floats()))

    def test_white_repaints_from_half_on(self):
        for level, value in ((127, 0.0), (128, 1.0)):
            self.write("mask.png", png(64, 64, level))
            self.assertEqual({value}, set(self.encoded(PHOTO, "--mask", "mask.png")[0].tensors["latent.mask"].floats()))

    def test_a_sample_is_the_first_draw_of_its_seed(self):
        drawn = self.encoded(PHOTO, PHOTO, "--vae-sample", "sample", "--seed", 7)
        self.assertEqual(["7", "8"], [record.metadata["lcm.seed"] for record in drawn])
        self.assertEqual(("torch-cpu", "1"), (drawn[0].metadata["lcm.rng"], drawn[0].metadata["lcm.rng_draws"]))
        self.assertEqual([5056], drawn[0].tensors["rng.state"].shape)
        self.assertEqual(3, len({record.tensors["latent.init"].data for record in [*drawn, self.encoded(PHOTO)[0]]}))
        self.assertEqual(drawn[1].tensors, self.encoded(PHOTO, "--vae-sample", "sample", "--seed", 8)[0].tensors)


class Contract(harness.ToolTest):
    def test_dry_run_tells_and_writes_nothing(self):
        self.write("photo.png", png(64, 64))
        plan = json.loads(self.run_ok(image("photo.png", "photo.png", "-o", "a.lcms", "-n", "--json")).out)
        self.assertEqual((2, "a.lcms"), (plan["records"], plan["output"]))
        self.assertEqual(["photo.png"], self.names())
        self.run_fails(image("photo.png", "--size", "9x9", "-o", "a.lcms", "-n"), USAGE, "--size")

    def test_the_depfile_names_pictures_masks_and_networks(self):
        self.run_ok(image(PHOTO, "--mask", MASK, "--init", "--image-encoder", IMAGE_ENCODER, "-o", "a.lcms", "-MD"))
        depfile = self.read("a.lcms.d").decode()
        for name in (PHOTO, MASK, f"{IMAGE_ENCODER}/model.safetensors", f"{IMAGE_ENCODER}/config.json", f"{SD15}/vae/config.json"):
            self.assertIn(name, depfile)

    def test_a_shard_takes_its_pictures(self):
        whole = records.parse(self.run_ok(image(PHOTO, MASK, PHOTO)).out)
        (second,) = [record for record in records.parse(self.run_ok(image(PHOTO, MASK, PHOTO, "--shard", "1/3")).out)
                     if record.metadata["lcm.kind"] == "cond"]
        self.assertEqual(whole[1].tensors, second.tensors)


class Steering(harness.ToolTest):
    def encoded(self, *arguments):
        return records.parse(self.run_ok(image(*arguments)).out)[0]

    def test_drawn_maps(self):
        tensors = self.encoded(PHOTO, "--control", "canny", "--control", "lineart", "--control", "scribble").tensors
        self.assertEqual({"control.canny", "control.lineart", "control.scribble"}, set(tensors))
        self.assertEqual({("U8", (1, 64, 64))}, {(tensor.dtype, tuple(tensor.shape)) for tensor in tensors.values()})
        self.assertLessEqual(set(tensors["control.canny"].data), {0, 255})
        self.assertEqual(3, len({tensor.data for tensor in tensors.values()}))

    def test_a_given_map_keeps_its_pixels(self):
        self.write("map.png", png(16, 8, 77))
        tensor = self.encoded("map.png", "--control-map", "depth").tensors["control.depth"]
        self.assertEqual(records.Tensor("U8", [3, 8, 16], bytes([77]) * 384), tensor)

    def test_a_start_beside_maps_is_asked_for(self):
        self.assertEqual({"control.canny", "latent.init"}, set(self.encoded(PHOTO, "--control", "canny", "--init").tensors))

    def test_features(self):
        by_network = self.encoded(PHOTO, "--features").tensors["image.features"]
        self.assertEqual(("F32", [1, 1280]), (by_network.dtype, by_network.shape))
        self.assertTrue(all(value >= 0 for value in by_network.floats()))
        self.assertEqual([1, 20], self.encoded(PHOTO, "--image-encoder", IMAGE_ENCODER).tensors["image.features"].shape)


class Records(harness.ToolTest):
    def test_conditions_of_two_encoders_meet_in_one_record(self):
        text = self.run_ok(encode("-p", "one", "-p", "two", model=SD15)).out
        both = records.parse(self.run_ok(image("-i", "-", PHOTO), stdin=text).out)
        self.assertEqual(["one", "two"], [record.metadata["lcm.prompt"] for record in both])
        for before, after in zip(records.parse(text), both):
            self.assertEqual({**before.tensors, "latent.init": after.tensors["latent.init"]}, after.tensors)
            self.assertEqual(before.metadata["lcm.id"], after.metadata["lcm.id"])

    def test_the_picture_is_drawn_anew_from_there(self):
        text = encode("-i", "-", "-p", "a red apple", model=SD15)
        for arguments in ([PHOTO], [PHOTO, "--mask", MASK], [PHOTO, "--vae-sample", "sample", "--seed", 3]):
            stream = self.pipe_ok(image(*arguments), text, denoise("--steps", 2, "--strength", 1))
            self.assertEqual("latent", records.parse(stream)[0].metadata["lcm.kind"])

    def test_a_picture_that_is_begun_is_left_alone(self):
        self.run_fails(image("-i", "-", PHOTO), DATA, ["record 0", "latent already"], stdin=harness.sample("latent", SD15))

    def test_the_size_of_the_record_rules(self):
        first = self.run_ok(image(PHOTO, "--size", "32x16")).out
        record = records.parse(self.run_ok(image("-i", "-", MAP, "--control", "canny"), stdin=first).out)[0]
        self.assertEqual([1, 16, 32], record.tensors["control.canny"].shape)
        self.run_fails(image("-i", "-", MAP, "--init", "--size", "64x64"), DATA, ["record 0", "32x16", "64x64"], stdin=first)
        record = records.parse(self.run_ok(image("-i", "-", MAP, "--image-encoder", IMAGE_ENCODER), stdin=first).out)[0]
        self.assertEqual("32x16", record.metadata["lcm.size"])

    def test_another_model(self):
        first = records.parse(harness.sample("cond", SD15))[0]
        first.metadata["lcm.arch"] = "sdxl"
        self.run_fails(image("-i", "-", PHOTO), DATA, ["record 0", "lcm.arch", "sdxl"], stdin=records.write([first]))


class Refused(harness.ToolTest):
    def test_pictures(self):
        self.write("cut.png", (IMAGES / "init.png").read_bytes()[:-40])
        self.write("text.png", b"no picture")
        self.write("small.png", png(7, 64))
        self.write("mask.png", png(32, 64))
        self.each(lambda *case: self.run_fails(image(*case[0]), *case[1:]), (
            (["missing.png"], NO_INPUT, "missing.png"),
            (["cut.png"], DATA, "cut.png"),
            (["text.png"], DATA, ["text.png", "no PNG or JPEG"]),
            (["small.png"], DATA, ["small.png", "7x64", "smaller"]),
            ([PHOTO, "--mask", "mask.png"], DATA, ["mask.png", "32x64", "64x64"]),
            ([PHOTO, "--mask", "missing.png"], NO_INPUT, "missing.png"),
        ))

    def test_flags(self):
        self.each(lambda *case: self.run_fails(image(*case[0]), *case[1:]), (
            ([], USAGE, "no picture"),
            ([PHOTO, "--size", "60x64"], USAGE, ["--size", "60x64"]),
            ([PHOTO, "--size", "64"], USAGE, ["--size", "WIDTHxHEIGHT"]),
            ([PHOTO, "--size", "0x0"], USAGE, "--size"),
            ([PHOTO, "--fit", "squeeze"], USAGE, "--fit"),
            ([PHOTO, "--control", "depth"], USAGE, "--control"),
            ([PHOTO, "--control-map", "a.b"], USAGE, ["--control-map", "a.b"]),
            ([PHOTO, "--control", "canny", "--control-map", "canny"], USAGE, ["canny", "twice"]),
            ([PHOTO, "--control", "canny", "--mask", MASK], USAGE, ["--mask"]),
            ([PHOTO, PHOTO, PHOTO, "--mask", MASK, "--mask", MASK], USAGE, ["--mask", "2 times for 3"]),
            ([PHOTO, "--features", "--image-encoder", "x"], USAGE, ["--features", "--image-encoder"]),
            (["-i", "a.lcms", PHOTO, PHOTO], USAGE, "--input"),
        ))

    def test_broken_networks(self):
        shutil.copytree(IMAGE_ENCODER, self.path("encoder"))
        config = self.path("encoder/config.json")
        config.write_text(config.read_text().replace('"hidden_size": 24', '"hidden_size": 12'))
        self.run_fails(image(PHOTO, "--image-encoder", "encoder"), DATA, ["encoder/model.safetensors", "class_embedding", "[24]", "[12]"])
        self.run_fails(image(PHOTO, "--image-encoder", "nowhere"), NO_INPUT, "nowhere/config.json")

    def test_one_of_many(self):
        self.write("text.png", b"no picture")
        result = self.run_any(image(PHOTO, "text.png", PHOTO, "--keep-going"))
        self.assertEqual(DATA, result.code)
        self.assertEqual(["cond", "error", "cond"], [record.metadata["lcm.kind"] for record in records.parse(result.out)][:3])


if __name__ == "__main__":
    harness.main()
