"""--help, --version and how a wrong command line is told."""
import harness
from harness import ALL_TOOLS, DENOISE, ENCODE, OPTIMIZE, RENDER, USAGE

COMMANDS = ([ENCODE], [ENCODE, "text"], [ENCODE, "image"], [DENOISE], [RENDER], [OPTIMIZE], [OPTIMIZE, "inspect"], [OPTIMIZE, "convert"],
            [OPTIMIZE, "quantize"])
EXIT_CODES = ("0 ok", "64 usage", "65 ", "66 ", "69 ", "70 ", "71 ", "73 ", "74 ", "75 ", "77 ", "78 ", "130, 141, 143")


class Help(harness.ToolTest):
    def test_examples_stand_first_and_exit_codes_last(self):
        def check(argv, flag="--help"):
            text = self.run_ok([*argv, flag]).out.decode()
            places = [text.index(heading) for heading in ("Examples:\n", "Usage:", "--help", "Exit codes:\n")]
            self.assertEqual(sorted(places), places, text)
            self.assertIn(argv[0], text.split("Examples:\n")[1].split("\n")[0], "the first example runs another tool")
            for code in EXIT_CODES:
                self.assertIn(code, text.split("Exit codes:\n")[1])

        self.each(check, [(argv,) for argv in COMMANDS])
        check([DENOISE], "-h")

    def test_help_needs_nothing_else_to_be_right(self):
        self.run_ok([RENDER, "--help", "no-such-file"])

    def test_version(self):
        versions = [self.run_ok([tool, "--version"]).out.decode().split(" ") for tool in ALL_TOOLS]
        self.assertEqual(list(ALL_TOOLS), [name for name, _ in versions])
        self.assertEqual(1, len({number for _, number in versions}))
        self.assertRegex(versions[0][1], r"^\d+\.\d+\.\d+\n$")


class WrongCommandLine(harness.ToolTest):
    def test_every_fault_is_64_and_says_what(self):
        self.each(lambda argv, says: self.run_fails(argv, USAGE, says), [
            ([ENCODE], "subcommand"),
            ([ENCODE, "text"], "no prompt"),
            ([ENCODE, "text", "-p", "x", "--prompt-file", "f"], ["--prompt-file", "--prompt"]),
            ([ENCODE, "text", "x", "y", "-i", "g"], "--input"),
            ([DENOISE, "-q", "-v"], "--quiet"),
            ([DENOISE, "--batch", "0"], "--batch"),
            ([DENOISE, "--guidance", "nan"], "--guidance"),
            ([DENOISE, "--from", "3", "--to", "2"], "--from"),
            ([DENOISE, "--timesteps", "999,499", "--steps", "3"], "--timesteps"),
            ([DENOISE, "--progress", "loud"], "--progress"),
            ([RENDER, "--full"], "--full"),
            ([RENDER, "-o", "picture.gif"], "picture.gif"),
            ([OPTIMIZE, "convert"], "--output"),
            ([OPTIMIZE, "convert", "--dtype", "int8", "-o", "out"], "--dtype"),
        ])

    def test_seeds_are_whole_numbers_of_64_bits(self):
        stream = harness.sample("cond")
        self.each(lambda seed: self.run_fails([DENOISE, f"--seed={seed}"], USAGE, ["--seed", seed], stdin=stream),
                  [("-1",), ("18446744073709551616",)])

    def test_the_nearest_flag_is_named(self):
        self.each(lambda argv, hint: self.assertIn(f"did you mean {hint}?", self.run_fails(argv, USAGE, argv[-1]).lines[1]), [
            ([DENOISE, "--stesp"], "--steps"),
            ([ENCODE, "text", "x", "--negative-promt"], "--negative-prompt"),
        ])

    def test_an_abbreviation_is_no_flag(self):
        self.run_fails([DENOISE, "--bat", "2"], USAGE, "--bat")

    def test_a_flag_is_checked_before_the_input_is_read(self):
        self.run_fails([RENDER, "--quality", "0"], USAGE, "--quality", stdin=b"no stream")


if __name__ == "__main__":
    harness.main()
