"""Models by name: where they are looked up, how they are listed, and what a name that is nearly right is told."""
import json

import harness
import records
from harness import LCM, NO_INPUT, OPTIMIZE, RENDER, encode


class ModelPath(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.copy_model(name="one/apple")
        self.copy_model(name="two/apple")
        self.copy_model(name="data/lcm/models/pear")
        self.data = {"XDG_DATA_HOME": str(self.path("data"))}
        self.both = {**self.data, "LCM_MODEL_PATH": "one:two"}

    def listed(self, *flags, **options):
        return self.run_ok([OPTIMIZE, "inspect", "--list", *flags], **options).out.decode().splitlines()

    def test_a_name_is_found_in_each_place(self):
        expected = self.run_ok(encode("x", "--no-history", model=LCM)).out
        for name, environment in (("pear", self.data), ("apple", {"LCM_MODEL_PATH": "missing::two"}), ("apple", self.both)):
            named = self.run_ok(encode("x", "--no-history", model=name), env=environment).out
            self.assertEqual(records.parse(expected)[0].tensors, records.parse(named)[0].tensors)
            self.assertEqual(name, records.parse(named)[0].metadata["lcm.model"])
        self.run_fails(encode("x", model="apple"), NO_INPUT, "apple", env=self.data)

    def test_the_first_place_counts_and_a_folder_before_all(self):
        self.path("one/apple/model_index.json").write_text("broken")
        self.assertNotEqual(0, self.run_any(encode("x", model="apple"), env=self.both).code)
        self.run_ok(encode("x", model="apple"), env={**self.data, "LCM_MODEL_PATH": "two:one"})
        self.copy_model(name="apple")
        self.run_ok(encode("x", model="apple"), env=self.both)

    def test_the_list_names_each_once_with_its_folder(self):
        lines = dict(line.split("\t") for line in self.listed(env=self.both))
        self.assertEqual(["apple", "emoji-128", "pear"], list(lines))
        self.assertEqual(("one/apple", str(self.path("data/lcm/models/pear"))), (lines["apple"], lines["pear"]))
        told = [json.loads(line) for line in self.listed("--json", env=self.both)]
        self.assertEqual([{"folder": folder, "name": name} for name, folder in lines.items()], told)

    def test_what_holds_no_model_is_not_listed(self):
        self.path("one/notes").mkdir()
        self.assertEqual(["apple", "emoji-128"], [line.split("\t")[0] for line in self.listed(env={"LCM_MODEL_PATH": "one"})])


class NearMisses(harness.ToolTest):
    def test_a_model(self):
        result = self.run_fails(encode("x", model="emoji-182"), NO_INPUT, "emoji-182")
        self.assertIn("did you mean emoji-128?", result.lines[1])
        far = self.run_fails(encode("x", model="qqqqqqqqqqqq"), NO_INPUT, "qqqqqqqqqqqq")
        self.assertIn("installed models: emoji-128", far.lines[1])

    def test_a_file(self):
        self.write("folder/apples.lcms", harness.sample("latent"))
        result = self.run_fails([RENDER, "folder/aples.lcms"], NO_INPUT, "folder/aples.lcms")
        self.assertIn("did you mean folder/apples.lcms?", result.lines[1])
        self.assertEqual(1, len(self.run_fails([RENDER, "folder/zzzzzzzzzz"], NO_INPUT, "zzzzzzzzzz").lines))
        near = self.run_fails(["lcm-encode", "text", "--prompt-file", "folder/apple.lcms"], NO_INPUT, "apple.lcms")
        self.assertIn("did you mean", near.lines[1])


if __name__ == "__main__":
    harness.main()
