"""Names of several pictures: one pattern, one number a picture, and an error before any work where there is no pattern."""
import harness
import records
from harness import DATA, NO_INPUT, RENDER, USAGE, render


class Pattern(harness.ToolTest):
    def setUp(self):
        super().setUp()
        self.one = harness.sample("latent")

    def test_two_records_and_no_pattern(self):
        # A model that is not there would be noticed by the first piece of work.
        for target in ("x.png", "-"):
            self.run_fails(render("-m", "missing", "-o", target), USAGE, ["--output", "one picture"], stdin=self.one * 2)
        self.run_fails(render("-m", "missing", "-o", "x.png"), NO_INPUT, "missing", stdin=self.one)
        self.assertEqual([], self.names())

    def test_numbers_count_on_over_files_and_final_marks(self):
        self.write("a.lcms", self.one * 2)
        self.write("b.lcms", self.one)
        self.run_ok(render("a.lcms", "b.lcms", "-o", "x-%04d.png"))
        self.assertEqual(["a.lcms", "b.lcms", "x-0000.png", "x-0001.png", "x-0002.png"], self.names())
        self.assertEqual(1, len({self.read(f"x-000{number}.png") for number in range(3)}))

    def test_the_forms_of_a_number(self):
        for pattern, name in (("x%d.png", "x0.png"), ("%03d.png", "000.png"), ("100%%-%02d.jpg", "100%-00.jpg"), ("%%.png", "%.png")):
            self.run_ok(render("-o", pattern), stdin=self.one)
            self.assertTrue(self.path(name).exists(), self.names())

    def test_what_is_no_pattern(self):
        self.each(lambda pattern: self.run_fails(render("-o", pattern), USAGE, ["--output", pattern], stdin=self.one),
                  [("%s.png",), ("%d-%d.png",)])
        self.assertEqual([], self.names())

    def test_pictures_before_a_fault_stay(self):
        self.run_fails(render("-o", "x-%d.png"), DATA, ["record 1", "truncated"], stdin=self.one + self.one[:-1])
        self.assertEqual(["x-0.png"], self.names())

    def test_a_stream_without_a_picture(self):
        self.run_fails(render("-o", "x-%d.png"), DATA, "no picture", stdin=records.end_record(b"", 0))

    def test_the_ending_chooses_the_format(self):
        self.run_ok([RENDER, "-o", "x.JPG"], stdin=self.one)
        self.assertTrue(self.read("x.JPG").startswith(b"\xff\xd8\xff"))
        self.run_ok([RENDER, "-o", "x", "--format", "png"], stdin=self.one)
        self.assertTrue(self.read("x").startswith(b"\x89PNG"))
        self.assertTrue(self.run_ok([RENDER, "--format", "jpeg"], stdin=self.one).out.startswith(b"\xff\xd8\xff"))


if __name__ == "__main__":
    harness.main()
