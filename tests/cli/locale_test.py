"""The user's language changes no byte: Turkish letters and decimal commas."""
import harness
from harness import denoise, encode, render

LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8")


class Locale(harness.ToolTest):
    def picture(self, locale):
        """A picture drawn under `locale`, with decimals on the way in and out."""
        environment = {"LC_ALL": locale, "LANG": locale, "LANGUAGE": locale}
        text = self.run_ok(encode("-p", "TITLE İI ıi 7,5", model=harness.SD15), env=environment).out
        latent = self.run_ok(denoise("--guidance", "1.5", "--steps", 2), stdin=text, env=environment).out
        return self.run_ok(render(), stdin=latent, env=environment).out

    def test_the_same_bytes_everywhere(self):
        usual = self.picture("C.UTF-8")
        self.assertIn(b"CFG scale: 1.5", usual)
        self.each(lambda locale: self.assertEqual(usual, self.picture(locale)), [(locale,) for locale in LOCALES])


if __name__ == "__main__":
    harness.main()
