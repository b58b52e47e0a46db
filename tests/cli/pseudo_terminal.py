"""A terminal for tests that nothing can wait for in vain: what was written to it is read to its end, or up to a time limit."""
import fcntl
import os
import pty
import select
import struct
import termios
import time


class PseudoTerminal:
    """`slave` is for the tools, and closed when the text is taken; a test that never takes it calls `close`."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.text = b""

    def resize(self, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, text, seconds):
        """Reads until the terminal was given `text`."""
        limit = time.monotonic() + seconds
        while text not in self.text:
            ready = select.select([self.master], [], [], max(0, limit - time.monotonic()))[0]
            if not ready:
                raise AssertionError(f"{text} did not come in {seconds} s: {self.text}")
            self.text += os.read(self.master, 65536)

    def collect(self):
        """Reads until no one has the slave open: that comes after the last of the text, where silence may come before it."""
        try:
            while piece := os.read(self.master, 65536):
                self.text += piece
        except OSError:  # EIO: no one can write any more
            pass

    def take_text(self):
        """All that was written, once the tools have ended; nothing can be written after."""
        self.close_slave()
        self.collect()
        self.close()
        return self.text

    def close_slave(self):
        if self.slave is not None:
            os.close(self.slave)
        self.slave = None

    def close(self):
        self.close_slave()
        if self.master is not None:
            os.close(self.master)
        self.master = None
