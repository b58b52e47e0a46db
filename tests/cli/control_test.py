"""Steering beside the text: ControlNets, T2I-Adapters and IP-Adapters on records with maps and features; and what is refused."""
import json
import pathlib
import shutil

import harness
import records
from harness import DATA, LCM, NO_INPUT, SD15, TESTDATA, USAGE, denoise, encode

IMAGES, MODELS = TESTDATA / "golden/images", TESTDATA / "golden/models"
MAP, EXAMPLE = str(IMAGES / "control.png"), str(IMAGES / "ip_reference.png")
CONTROLNET, T2I, IP = str(MODELS / "controlnet"), str(MODELS / "t2iadapter"), str(MODELS / "ip-adapter/models/ip-adapter_tiny.safetensors")
IMAGE_ENCODER = str(MODELS / "ip-adapter/models/image_encoder")


def image(*arguments):
    return [harness.ENCODE, "image", "-t1", "-m", SD15, "-i", "-", *arguments]


class SteeredStream(harness.ToolTest):
    """A record with two maps and the features of a picture."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stream = None

    def setUp(self):
        super().setUp()
        if type(self).stream is None:
            stages = encode("-p", "a red apple", model=SD15), image(MAP, "--control-map", "edges"), image(MAP, "--control", "canny")
            stream = self.pipe_ok(*stages, image(EXAMPLE, "--image-encoder", IMAGE_ENCODER))
            type(self).stream = stream

    def drawn(self, *arguments):
        return self.run_ok(denoise("--steps", 2, "-s", 5, *arguments), stdin=self.stream).out

    def latent(self, *arguments):
        return records.parse(self.drawn(*arguments))[0].tensors["latent"]

    def refused(self, arguments, code, says, stdin=None):
        self.run_fails(denoise("--steps", 2, *arguments), code, says, stdin=self.stream if stdin is None else stdin)


class Steered(SteeredStream):
    def test_each_network_changes_the_picture(self):
        flags = ([], ["--controlnet", f"edges={CONTROLNET}"], ["--controlnet", f"canny={CONTROLNET}"], ["--t2i-adapter", f"edges={T2I}"],
                 ["--ip-adapter", IP], ["--ip-adapter", f"{IP}:0.5"],
                 ["--controlnet", f"edges={CONTROLNET}", "--controlnet", f"canny={CONTROLNET}:0.3"],
                 ["--controlnet", f"edges={CONTROLNET}", "--guess-mode"], ["--controlnet", f"edges={CONTROLNET}:1:0-0.5"])
        self.assertEqual(len(flags), len({self.latent(*arguments).data for arguments in flags}))

    def test_what_has_no_say_changes_nothing(self):
        plain = self.latent()
        for arguments in (["--controlnet", f"edges={CONTROLNET}:0"], ["--controlnet", f"edges={CONTROLNET}:1:0.3-0.4"],
                          ["--t2i-adapter", f"edges={T2I}:0"]):
            for one, other in zip(plain.floats(), self.latent(*arguments).floats()):
                self.assertAlmostEqual(one, other, places=5)

    def test_a_file_is_as_good_as_its_folder(self):
        for flag, folder in (("--controlnet", CONTROLNET), ("--t2i-adapter", T2I)):
            file = f"{folder}/diffusion_pytorch_model.safetensors"
            self.assertEqual(self.latent(flag, f"edges={folder}:0.5"), self.latent(flag, f"edges={file}:0.5"))

    def test_the_only_map_needs_no_name(self):
        record = records.parse(self.stream)[0]
        del record.tensors["control.canny"]
        named, unnamed = (self.run_ok(denoise("--steps", 2, "--controlnet", text), stdin=records.write([record])).out
                          for text in (f"edges={CONTROLNET}", CONTROLNET))
        self.assertEqual(records.parse(named)[0].tensors, records.parse(unnamed)[0].tensors)

    def test_maps_and_features(self):
        bare = self.run_ok(encode("-p", "a red apple", model=SD15)).out
        self.refused(["--controlnet", CONTROLNET], DATA, ["record 0", "2 control maps"])
        self.refused(["--controlnet", CONTROLNET], DATA, ["record 0", "0 control maps"], stdin=bare)
        self.refused(["--controlnet", f"depth={CONTROLNET}"], DATA, ["record 0", "control.depth"])
        self.refused(["--ip-adapter", IP], DATA, ["record 0", "image.features"], stdin=bare)
        record = records.parse(self.stream)[0]
        record.tensors["control.edges"] = records.Tensor("U8", [3, 32, 64], bytes(3 * 32 * 64))
        self.refused(["--controlnet", f"edges={CONTROLNET}"], DATA, ["record 0", "control.edges", "[3,32,64]", "[3,64,64]"],
                     stdin=records.write([record]))
        record.tensors["image.features"] = records.f32([1, 3], [0, 0, 0])
        self.refused(["--ip-adapter", IP], DATA, ["record 0", "image.features", "[1,3]"], stdin=records.write([record]))

    def test_networks_of_another_model(self):
        record = records.parse(harness.sample("cond", LCM))[0]
        record.tensors["control.canny"] = records.parse(self.stream)[0].tensors["control.canny"]
        cond = records.write([record])
        for flag, network in (("--controlnet", CONTROLNET), ("--t2i-adapter", T2I)):
            self.refused([flag, network], DATA, [network, "widths"], stdin=cond)

    def test_broken_networks(self):
        self.refused(["--controlnet", f"edges={self.path('nowhere')}"], NO_INPUT, "nowhere: no such folder or file")
        self.refused(["--ip-adapter", str(MODELS / "controlnet/diffusion_pytorch_model.safetensors")], DATA, ["no IP-Adapter"])
        folder = self.copy_model(CONTROLNET, "net")
        config = json.loads(self.read(f"{folder}/config.json"))
        self.write(f"{folder}/config.json", json.dumps({**config, "conditioning_channels": 4}).encode())
        self.refused(["--controlnet", f"edges={folder}"], DATA, ["net/diffusion_pytorch_model.safetensors", "conv_in.weight"])
        self.write(f"{folder}/config.json", json.dumps({**config, "global_pool_conditions": True}).encode())
        self.refused(["--controlnet", f"edges={folder}"], DATA, ["net/config.json", "global_pool_conditions"])

    def test_flags(self):
        for arguments, says in ((["--controlnet", "a=b:x"], "no scale"), (["--controlnet", "a=b:1:0.5-0.2"], "share of the steps"),
                                (["--controlnet", "a=b:0-1"], "no scale"), (["--t2i-adapter", "a="], "no folder"),
                                (["--guess-mode"], "--controlnet"), (["--ip-adapter", "a=b"], "a file and a scale")):
            self.refused(arguments, USAGE, says)


class Recorded(SteeredStream):
    """What a picture is steered by stands in its record, and going on with it needs no flag."""

    FLAGS = ["--controlnet", f"edges={CONTROLNET}:0.8:0-0.5", "--guess-mode", "--t2i-adapter", f"canny={T2I}:0.5",
             "--ip-adapter", f"{IP}:0.7"]

    def entries(self, stream):
        return json.loads(records.parse(stream)[0].metadata["lcm.steering"])

    def half(self, *arguments):
        return self.drawn("--to", 1, *(arguments or self.FLAGS))

    def rest(self, stream, *arguments, **options):
        return self.run_ok(denoise("--no-history", *arguments), stdin=stream, **options).out

    def test_networks_are_listed_by_hash(self):
        def sha256(path):
            return records.sha256(pathlib.Path(path).read_bytes())

        weights = "diffusion_pytorch_model.safetensors"
        net = {"kind": "controlnet", "map": "edges", "file": CONTROLNET, "sha256": sha256(f"{CONTROLNET}/{weights}")}
        t2i = {"kind": "t2i-adapter", "map": "canny", "file": T2I, "sha256": sha256(f"{T2I}/{weights}")}
        example = {"kind": "ip-adapter", "file": IP, "sha256": sha256(IP)}
        self.assertEqual([{**net, "scale": 0.8, "start": 0, "end": 0.5, "guess": True}, {**t2i, "scale": 0.5, "start": 0, "end": 1},
                          {**example, "scale": 0.7, "start": 0, "end": 1}], self.entries(self.half()))
        self.assertNotIn("lcm.steering", records.parse(self.drawn())[0].metadata)

    def test_going_on_needs_no_flag_and_gives_the_same_bytes(self):
        half, whole = self.half("--no-history", *self.FLAGS), self.drawn("--no-history", *self.FLAGS)
        self.assertEqual(whole, self.rest(half))
        self.assertEqual(whole, self.rest(half, *self.FLAGS))

    def test_a_network_that_was_moved_is_named_again(self):
        moved = self.copy_model(CONTROLNET, "moved")
        half = self.half("--controlnet", f"edges={moved}:0.8")
        self.rest(half)
        away = self.copy_model(CONTROLNET, "away")
        shutil.rmtree(self.path(moved))
        result = self.run_fails(denoise(), DATA, ["record 0", "controlnet with SHA-256", "not found here"], stdin=half)
        self.assertIn("--controlnet edges=PATH:0.8", result.lines[-1])
        self.assertEqual(records.parse(self.drawn("--controlnet", f"edges={away}:0.8"))[0].tensors,
                         records.parse(self.rest(half, "--controlnet", f"edges={away}:0.8"))[0].tensors)

    def test_a_hint_to_other_weights_is_not_followed(self):
        record = records.parse(self.half("--controlnet", f"edges={CONTROLNET}"))[0]
        for file in (T2I, "/dev/zero", "/etc/passwd", "", "nowhere"):
            entries = json.loads(record.metadata["lcm.steering"])
            entries[0]["file"] = file
            other = records.Record(record.tensors, {**record.metadata, "lcm.steering": json.dumps(entries)})
            self.run_fails(denoise(), DATA, ["record 0", "not found here"], stdin=records.write([other]))

    def test_flags_that_contradict_the_record_are_refused(self):
        half = self.half("--controlnet", f"edges={CONTROLNET}:0.8")
        for arguments in (["--controlnet", f"edges={CONTROLNET}:0.7"], ["--controlnet", f"canny={CONTROLNET}:0.8"],
                          ["--controlnet", f"edges={CONTROLNET}:0.8:0-0.5"], ["--controlnet", f"edges={CONTROLNET}:0.8", "--guess-mode"],
                          ["--controlnet", f"edges={CONTROLNET}:0.8", "--ip-adapter", IP]):
            self.run_fails(denoise(*arguments), USAGE, ["--controlnet", "contradicts", "edges=", ":0.8"], stdin=half)
        self.run_fails(denoise("--t2i-adapter", f"edges={T2I}"), USAGE, ["--t2i-adapter", "contradicts"], stdin=half)
        self.run_fails(denoise("--ip-adapter", IP), USAGE, ["--ip-adapter", "begun without"], stdin=self.drawn("--to", 1))

    def test_lists_that_make_no_sense_are_refused(self):
        record = records.parse(self.half("--controlnet", f"edges={CONTROLNET}"))[0]
        good = json.loads(record.metadata["lcm.steering"])[0]
        for value, says in (("{}", "lcm.steering"), ("[1]", "lcm.steering"), ("[", "lcm.steering"),
                            (json.dumps([{**good, "kind": "crystal-ball"}]), "crystal-ball"),
                            (json.dumps([{**good, "twist": 1}]), "twist"),
                            (json.dumps([{**good, "sha256": "0"}]), "64 hex digits"),
                            (json.dumps([{**good, "start": 0.5, "end": 0.2}]), "share"),
                            (json.dumps([good] * 65), "65"),
                            (json.dumps([{**good, "scale": "much"}]), "scale")):
            other = records.Record(record.tensors, {**record.metadata, "lcm.steering": value})
            self.run_fails(denoise(), DATA, ["record 0", says], stdin=records.write([other]))

    def test_the_recipe_tells_of_them(self):
        self.run_ok(harness.render("-o", "a.png"), stdin=self.drawn(*self.FLAGS))
        recipe = self.run_ok([harness.RENDER, "--info", "a.png"]).out.decode()
        for part in ('ControlNet 0: "Map: edges, Model: controlnet [', "Weight: 0.8, Guidance Start: 0, Guidance End: 0.5",
                     "Guess Mode: true",
                     'T2I-Adapter 0: "Map: canny, Model: t2iadapter [',
                     'IP-Adapter 0: "Model: ip-adapter_tiny.safetensors [',
                     "Weight: 0.7"):
            self.assertIn(part, recipe)
        self.assertNotIn(str(TESTDATA), recipe)


if __name__ == "__main__":
    harness.main()
