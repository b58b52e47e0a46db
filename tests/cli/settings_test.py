"""Where a flag's value comes from: the command line, LCM_*, ./lcm.toml, the user's file; and the words of the command line itself."""
import json

import harness
import records
from harness import DENOISE, ENCODE, LCM, NO_INPUT, RENDER, USAGE, denoise, encode

CONFIG = 78
USER = "xdg/lcm/config.toml"


class SettingsTest(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.user = {"XDG_CONFIG_HOME": str(self.folder / "xdg")}

    def shown(self, argv, **environment):
        """What --show-config --json says: {flag: (value, origin)}."""
        out = self.run_ok([*argv, "--show-config", "--json"], env={**self.user, **environment}).out
        return {flag: (entry["value"], entry["origin"]) for flag, entry in json.loads(out).items()}


class Order(SettingsTest):
    def test_the_nearest_place_counts(self):
        self.write(USER, b"steps = 5\n")
        self.assertEqual(("5", f"{self.path(USER)}:1"), self.shown([DENOISE])["steps"])
        self.write("lcm.toml", b"\nsteps = 4\n")
        self.assertEqual(("4", "lcm.toml:2"), self.shown([DENOISE])["steps"])
        self.assertEqual(("3", "LCM_STEPS"), self.shown([DENOISE], LCM_STEPS="3")["steps"])
        self.assertEqual(("2", "command line"), self.shown([DENOISE, "--steps", "2"], LCM_STEPS="3")["steps"])

    def test_the_value_is_used_and_not_only_shown(self):
        stream = harness.sample("cond")

        def steps(*flags, **environment):
            out = self.run_ok(denoise("--no-history", *flags), stdin=stream, env={**self.user, **environment}).out
            return records.parse(out)[0].metadata["lcm.steps"]

        self.write(USER, b"steps = 1\n")
        self.write("own.toml", b"steps = 3\n")
        self.assertEqual(["1", "2", "1", "3", "4"], [
            steps(), steps(LCM_STEPS="2"), steps("--steps", 1, LCM_STEPS="2"), steps("--config", "own.toml"), steps("--config", "none")])

    def test_a_tool_s_table_comes_before_the_top_and_a_subcommand_s_before_the_tool_s(self):
        self.write("lcm.toml", b'threads = 1\n[lcm-encode]\nthreads = 2\n[lcm-encode.text]\nthreads = 3\nprompt = ["a", "b"]\n')
        self.assertEqual(("3", "lcm.toml:5"), self.shown([ENCODE, "text"])["threads"])
        self.assertEqual("a,b", self.shown([ENCODE, "text"])["prompt"][0])
        self.assertEqual(("2", "lcm.toml:3"), self.shown([ENCODE, "--requests", "-"])["threads"])
        self.assertEqual(("1", "lcm.toml:1"), self.shown([RENDER])["threads"])

    def test_the_wanted_file_alone_or_none(self):
        self.write("lcm.toml", b"steps = 4\n")
        self.write("own.toml", b"guidance = 7.5\n")
        shown = self.shown([DENOISE, "--config", "own.toml"])
        self.assertEqual((("7.5", "own.toml:1"), (None, "default")), (shown["guidance"], shown["steps"]))
        self.assertEqual((None, "default"), self.shown([DENOISE, "--config=none"])["steps"])
        self.assertEqual("3", self.shown([DENOISE, "--config", "none"], LCM_STEPS="3")["steps"][0])
        self.run_fails([DENOISE, "--config", "missing.toml"], NO_INPUT, "missing.toml")

    def test_what_a_required_flag_needs_may_stand_in_a_file(self):
        self.write("lcm.toml", b'[lcm-optimize.convert]\ndtype = "f16"\noutput = "out"\n')
        self.run_ok(["lcm-optimize", "convert", LCM])
        self.assertTrue(self.path("out/model_index.json").exists())

    def test_flags_that_only_tell_something_are_no_settings(self):
        self.assertNotIn("help", self.shown([DENOISE]))
        self.write("lcm.toml", b"version = true\n")
        self.run_fails([DENOISE], CONFIG, ["lcm.toml:1", "version"])


class Faults(SettingsTest):
    def test_each_is_78_and_names_file_and_line(self):
        def check(text, says, hint):
            self.write("lcm.toml", text)
            result = self.run_fails([DENOISE], CONFIG, says)
            self.assertIn(hint, result.lines[1])

        for text, says, hint in (
                (b"stesp = 4\n", ["lcm.toml:1", '"stesp"'], "did you mean steps?"),
                (b"\n[lcm-denose]\n", ["lcm.toml:2", '"lcm-denose"'], "did you mean lcm-denoise?"),
                (b"[lcm-denoise]\n\nstesp = 4\n", ["lcm.toml:3", '"stesp"'], "did you mean steps?"),
                (b"steps = \n", "lcm.toml:1", "--config none"),
                (b"a = 1\na = 2\n", "lcm.toml:2", "--config none"),
                (b"steps = 2024-01-01\n", "lcm.toml:1", "write a string"),
                (b"\nsteps = 0\n", ["lcm.toml:2", "--steps"], "--config none"),
                (b'\n\nprogress = "loud"\n', ["lcm.toml:3", "--progress"], "--config none"),
        ):
            with self.subTest(text):
                check(text, says, hint)

    def test_a_table_of_another_tool_is_none_of_ours(self):
        self.write("lcm.toml", b"[lcm-stylize]\nwhatever = 1\n[lcm-render]\nquality = 80\n")
        self.assertEqual((None, "default"), self.shown([DENOISE])["steps"])

    def test_a_wrong_variable_is_named(self):
        self.run_fails([DENOISE], CONFIG, ["LCM_STEPS", "--steps"], env={"LCM_STEPS": "many"})
        self.assertEqual("default", self.shown([DENOISE], LCM_STEPS="")["steps"][1])

    def test_a_wrong_flag_is_still_a_wrong_flag(self):
        self.write("lcm.toml", b"steps = 4\n")
        self.run_fails([DENOISE, "--batch", "0"], USAGE, "--batch")
        self.run_fails([DENOISE, "--no-such"], USAGE, "--no-such")

    def test_the_command_line_overrules_what_it_excludes(self):
        shown = self.shown([DENOISE, "-q"], LCM_VERBOSE="1")
        self.assertEqual(("true", "command line"), shown["quiet"])
        self.assertEqual("default", shown["verbose"][1])
        self.run_fails([DENOISE, "-q", "-v"], USAGE, "--quiet")


class Shown(SettingsTest):
    def test_text_is_toml_with_the_origin_behind(self):
        self.write("lcm.toml", b'prompt = ["one \\"x\\""]\n')
        lines = self.run_ok([ENCODE, "text", "--show-config", "-t1"], env=self.user).out.decode().splitlines()
        self.assertIn('prompt = "one \\"x\\""  # lcm.toml:1', lines)
        self.assertIn('threads = "1"  # command line', lines)
        self.assertIn('output = "-"  # default', lines)
        self.assertIn("# model is not set", lines)

    def test_every_tool_shows_and_does_nothing_else(self):
        for argv in ([ENCODE, "text"], [ENCODE, "--requests", "none"], [DENOISE], [RENDER], ["lcm-optimize", "inspect"]):
            with self.subTest(argv):
                self.assertIn("threads", self.shown(argv))
        self.assertEqual([], self.names())


class Words(SettingsTest):
    def test_n_before_a_word_names_the_negative_prompt(self):
        for argv in (encode("-p", "apple"), [DENOISE], [RENDER], ["lcm-optimize", "inspect"]):
            result = self.run_fails([*argv, "-n", "blurry"], USAGE, ["-n", "blurry"])
            self.assertIn("-N", result.lines[1])
        self.write("a.lcms", harness.sample("cond"))
        self.assertIn(b"would write 1 record", self.run_ok(denoise("-n", "a.lcms")).out)

    def test_names_that_other_programs_use(self):
        stream = harness.sample("cond")
        ours = self.run_ok(denoise("--no-history", "--steps", 1, "--guidance", 3, "--batch", 2), stdin=stream).out
        theirs = self.run_ok(denoise("--no-history", "--steps", 1, "--cfg-scale=3", "--batch-count", 2), stdin=stream).out
        self.assertEqual(ours, theirs)
        self.assertEqual("a.lcms", self.shown([DENOISE, "--init-img", "a.lcms"])["input"][0])
        self.assertNotIn(b"cfg-scale", self.run_ok([DENOISE, "--help"]).out)

    def test_an_empty_value_and_what_stands_after_two_dashes(self):
        def prompts(*argv):
            return self.shown([ENCODE, "text", *argv])["prompt"]

        self.assertEqual(("", "command line"), prompts("--prompt="))
        self.assertEqual("-MD", prompts("--prompt", "-MD")[0])
        stream = records.parse(self.run_ok(encode("--", "-n", "--cfg-scale", "-MF")).out)
        self.assertEqual(["-n", "--cfg-scale", "-MF"], [record.metadata.get("lcm.prompt") for record in stream[:3]])


if __name__ == "__main__":
    harness.main()
