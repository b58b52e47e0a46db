"""Text as scdoc writes it."""
import re

SPECIAL = re.compile(r"([\\*_#\[\]|!`+<>.-])")


def escape(text):
    """Plain text, with nothing in it that scdoc could take for markup."""
    return SPECIAL.sub(r"\\\1", text)


def bold(text):
    return f"*{escape(text)}*"


def italic(text):
    return f"_{escape(text)}_"


def entry(term, sentences):
    """A term, and sentences about it below and indented; both are scdoc already."""
    return f"{term}\n\t{' '.join(sentences)}\n\n"
