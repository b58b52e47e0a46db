"""Outputs appear whole or not at all, and every byte that was asked for is known to have arrived."""
import os
import resource
import stat

import harness
import records
from harness import CANNOT_CREATE, DATA, DENOISE, IO, OPTIMIZE, RENDER, denoise, encode, render

FULL = "/dev/full"


def writers():
    """Every tool at work, with what it reads; `-o NAME` can be added."""
    return (encode("x"), b""), (denoise("--to", 0), harness.sample("cond")), (render(), harness.sample("latent"))


class Files(harness.ToolTest):
    def test_a_file_holds_what_stdout_would(self):
        def check(argv, stdin, name):
            shown = self.run_ok(argv, stdin=stdin).out
            self.assertEqual(b"", self.run_ok([*argv, "-o", name], stdin=stdin).out)
            self.assertEqual(shown, self.read(name))

        self.each(check, [(*writer, name) for writer, name in zip(writers(), ("a.lcms", "b.lcms", "c.png"))])
        self.assertEqual(["a.lcms", "b.lcms", "c.png"], self.names())

    def test_the_file_has_the_rights_of_any_new_file(self):
        self.run_ok(encode("x", "-o", "a.lcms"), umask=0o027)
        self.assertEqual(0o640, stat.S_IMODE(self.path("a.lcms").stat().st_mode))

    def test_the_old_file_stays_when_the_new_one_fails(self):
        self.write("a.lcms", b"old")
        self.run_fails(denoise("-o", "a.lcms"), DATA, "truncated", stdin=harness.sample("cond")[:-1])
        self.run_fails(render("--format=png", "-o", "a.lcms"), DATA, "truncated", stdin=harness.sample("latent")[:-1])
        self.assertEqual(b"old", self.read("a.lcms"))

    def test_no_clobber(self):
        self.write("a.png", b"old")
        for argv, stdin in writers():
            self.run_fails([*argv, "--no-clobber", "-o", "a.png"], CANNOT_CREATE, "a.png", stdin=stdin)
        self.assertEqual(b"old", self.read("a.png"))

    def test_a_file_can_be_read_and_replaced_at_once(self):
        self.write("a.lcms", harness.sample("cond"))
        expected = self.run_ok(denoise("--steps", 1, "a.lcms")).out
        self.run_ok(denoise("--steps", 1, "a.lcms", "-o", "a.lcms"))
        self.assertEqual(expected, self.read("a.lcms"))

    def test_a_symbolic_link_is_replaced_and_not_followed(self):
        self.write("target", b"old")
        os.symlink("target", self.path("a.lcms"))
        self.run_ok(encode("x", "-o", "a.lcms"))
        self.assertEqual(b"old", self.read("target"))
        self.assertFalse(self.path("a.lcms").is_symlink())

    def test_dev_null_stays_a_device(self):
        self.run_ok(encode("x", "-o", "/dev/null"))
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_places_where_nothing_can_be_made(self):
        self.write("file", b"")
        self.path("folder.png").mkdir()
        for (argv, stdin), name in zip(writers(), ("missing/a.lcms", "file/a.lcms", "folder.png")):
            self.run_fails([*argv, "-o", name], CANNOT_CREATE, name, stdin=stdin)
        self.run_fails(render("-o", "missing/x-%d.png"), CANNOT_CREATE, "missing/x-0.png", stdin=harness.sample("latent"))
        self.assertEqual(["file", "folder.png"], self.names())


class FullDisk(harness.ToolTest):
    def test_records_and_pictures(self):
        with open(FULL, "wb") as full:
            self.each(lambda argv, stdin: self.run_fails(argv, IO, "standard output", stdin=stdin, stdout=full), writers())
        for argv, stdin in writers():
            form = ["--format=png"] if argv[0] == RENDER else []
            self.run_fails([*argv, "-o", FULL, *form], IO, FULL, stdin=stdin)

    def test_a_limit_to_the_size_of_files(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        for (argv, stdin), name in zip(writers(), ("a.lcms", "b.lcms", "c.png")):
            self.run_fails([*argv, "-o", name], IO, (name, "File too large"), stdin=stdin, preexec_fn=limit)
        self.assertEqual([], self.names())

    def test_text(self):
        stream = harness.sample("latent")
        with open(FULL, "wb") as full:
            self.each(lambda argv: self.run_fails(argv, IO, "standard output", stdin=stream, stdout=full), [
                ([DENOISE, "--help"],), ([RENDER, "--version"],), ([RENDER, "--info"],), ([OPTIMIZE, "inspect", harness.LCM],),
            ])


class ClosedDescriptors(harness.ToolTest):
    def close(self, *descriptors):
        return lambda: [os.close(fd) for fd in descriptors]

    def test_a_closed_stdout_is_told(self):
        self.each(lambda argv, stdin: self.expect_failure(self.run_any(argv, stdin=stdin, preexec_fn=self.close(1)), IO, "standard output"),
                  [*writers(), ([DENOISE, "--help"], b""), ([RENDER, "--info"], harness.sample("latent"))])

    def test_a_closed_stdout_does_not_matter_to_a_file(self):
        expected = self.run_ok(encode("x")).out
        self.run_ok(encode("x", "-o", "a.lcms"), preexec_fn=self.close(0, 1))
        self.assertEqual(expected, self.read("a.lcms"))

    def test_messages_never_land_in_the_output(self):
        argv = denoise("--seed", "random", "--steps", 1, "-o", "a.lcms")  # says which seed it drew
        self.assertEqual(0, self.run_any(argv, stdin=harness.sample("cond"), preexec_fn=self.close(2)).code)
        self.assertEqual(1, len(records.parse(self.read("a.lcms"))))

    def test_an_error_keeps_its_code_without_stderr(self):
        self.assertEqual(DATA, self.run_any([DENOISE], stdin=b"bad", preexec_fn=self.close(2)).code)


if __name__ == "__main__":
    harness.main()
