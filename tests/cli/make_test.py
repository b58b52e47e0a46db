"""Under make and ninja: dependency files as compilers write them, and outputs left alone when nothing changes."""
import os
import shutil
import subprocess

import harness
from harness import LCM, USAGE, denoise, encode, render

OLD = 1_000_000_000  # seconds; any time that is not now


class Depfile(harness.ToolTest):
    def prerequisites(self, name):
        """The files of a dependency file's first rule, unescaped, after checking the empty rules behind it."""
        first, *rest = self.path(name).read_text().replace("\\\n", "").splitlines()
        target, files = first.split(": ", 1)
        names = files.replace("\\ ", "\0").split()
        self.assertEqual([file + ":" for file in names], [line.replace("\\ ", "\0") for line in rest])
        return target, [file.replace("\0", " ").replace("\\#", "#").replace("$$", "$") for file in names]

    def test_it_names_what_the_output_was_made_from(self):
        self.write("prompts.txt", b"an apple\n")
        self.write("lcm.toml", b"no-history = true\n")
        self.run_ok(encode("--prompt-file", "prompts.txt", "-o", "a.lcms", "-MD"))
        target, files = self.prerequisites("a.lcms.d")
        self.assertEqual("a.lcms", target)
        for name in ("model_index.json", "unet/config.json", "text_encoder/config.json", "tokenizer/vocab.json"):
            self.assertIn(f"{LCM}/{name}", files)
        self.assertEqual({"prompts.txt", "lcm.toml"} - set(files), set())
        self.assertEqual(sorted(files), files)
        self.assertNotIn("a.lcms", files)

    def test_every_tool_and_every_name(self):
        self.write("cond.lcms", harness.sample("cond"))
        self.run_ok(denoise("--steps", 1, "cond.lcms", "-o", "latent.lcms", "-MD", "-MF", "deps.mk", "-MT", "all the things"))
        target, files = self.prerequisites("deps.mk")
        self.assertEqual("all\\ the\\ things", target)
        self.assertIn("cond.lcms", files)
        self.run_ok(render("latent.lcms", "-MD", "-MF", "picture.d", "-MT", "picture"))
        self.assertIn("latent.lcms", self.prerequisites("picture.d")[1])
        self.assertNotIn("latent.lcms.d", self.names())

    def test_signs_that_make_reads_otherwise(self):
        odd = "a b#c$d.txt"
        self.write(odd, b"apple\n")
        self.run_ok(encode("--prompt-file", odd, "-o", "x y.lcms", "-MD"))
        target, files = self.prerequisites("x y.lcms.d")
        self.assertEqual("x\\ y.lcms", target)
        self.assertIn(odd, files)

    def test_what_does_not_go_together(self):
        self.run_fails(encode("x", "-MD"), USAGE, ["-MD", "stdout"])
        self.run_fails(encode("x", "-MD", "-MF", "a.d"), USAGE, "-MD")
        self.run_fails(encode("x", "-MF", "a.d", "-o", "a.lcms"), USAGE, "-MF")
        self.run_fails(encode("x", "-MT", "a", "-o", "a.lcms"), USAGE, "-MT")
        self.assertEqual([], self.names())


class Make(harness.ToolTest):
    MAKEFILE = "a.lcms: ; lcm-encode text -t1 -m 'my model' --prompt-file 'my prompts.txt' -o $@ -MD\n-include a.lcms.d\n"

    def made(self):
        """What make runs, or that there is nothing to do."""
        return subprocess.run(["make", "a.lcms"], cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, check=True,
                              timeout=harness.TIME_LIMIT).stdout

    def test_it_makes_again_what_has_changed(self):
        self.copy_model(name="my model")
        self.write("my prompts.txt", b"an apple\n")
        self.write("Makefile", self.MAKEFILE.encode())
        for path in self.folder.rglob("*"):
            os.utime(path, (OLD, OLD))
        self.assertIn(b"lcm-encode", self.made())
        self.assertIn(b"up to date", self.made())
        for changed in ("my prompts.txt", "my model/text_encoder/config.json"):
            after = self.path("a.lcms").stat().st_mtime + 1
            os.utime(self.path(changed), (after, after))
            self.assertIn(b"lcm-encode", self.made(), changed)
            os.utime(self.path(changed), (OLD, OLD))
        self.path("my model/extra.txt").write_text("")
        shutil.rmtree(self.path("my model/scheduler"))
        self.assertNotIn(b"No rule", self.made())  # a file that has gone is no fault of the rules


class IfChanged(harness.ToolTest):
    def test_equal_bytes_leave_the_file_and_its_time(self):
        for argv, stdin, name in ((encode("x"), b"", "a.lcms"), (denoise("--steps", 1), harness.sample("cond"), "b.lcms"),
                                  (render(), harness.sample("latent"), "c.png")):
            with self.subTest(name):
                run = [*argv, "--if-changed", "-o", name]
                self.run_ok(run, stdin=stdin)
                whole = self.read(name)
                os.utime(self.path(name), (OLD, OLD))
                self.run_ok(run, stdin=stdin)
                self.assertEqual(OLD, self.path(name).stat().st_mtime)
                self.write(name, whole[:-1] + b"x")
                os.utime(self.path(name), (OLD, OLD))
                self.run_ok(run, stdin=stdin)
                self.assertEqual(whole, self.read(name))
                self.assertNotEqual(OLD, self.path(name).stat().st_mtime)

    def test_the_same_for_the_dependency_file(self):
        run = encode("x", "-o", "a.lcms", "-MD", "--if-changed")
        self.run_ok(run)
        os.utime(self.path("a.lcms.d"), (OLD, OLD))
        self.run_ok(run)
        self.assertEqual(OLD, self.path("a.lcms.d").stat().st_mtime)

    def test_it_contradicts_no_clobber(self):
        self.run_fails(encode("x", "-o", "a.lcms", "--if-changed", "--no-clobber"), USAGE, ["--if-changed", "--no-clobber"])


if __name__ == "__main__":
    harness.main()
