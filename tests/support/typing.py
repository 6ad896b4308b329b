"""Types at a program that has a terminal of its own for its input and its messages.

Arguments are the program and its words. Standard input is a list of steps in JSON, each what the
terminal must show first and what then happens: {"shown": text, "types": octets as latin-1} or
{"shown": text, "signal": name}. What became of it is printed as JSON.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time

PATIENCE = 20


def main():
    steps = json.load(sys.stdin)
    ours, theirs = os.openpty()

    def own_terminal():
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        sys.argv[1:],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=own_terminal,
    )
    screen = Screen(ours)
    try:
        for step in steps:
            screen.until(step["shown"])
            if "types" in step:
                os.write(ours, step["types"].encode("latin-1"))
            else:
                process.send_signal(signal.Signals[step["signal"]])
        out, _ = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        raise
    screen.read(0.1)
    print(json.dumps({
        "screen": screen.text,
        "out": out.decode(),
        "code": process.returncode,
        "restored": termios.tcgetattr(theirs) == before,
    }))


class Screen:
    def __init__(self, terminal):
        self.terminal = terminal
        self.text = ""
        self.seen = 0

    def until(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.text[self.seen:]:
            if time.monotonic() > end:
                raise TimeoutError(f"{text!r} is not shown but {self.text!r}")
            self.read(0.1)
        self.seen = self.text.index(text, self.seen) + len(text)

    def read(self, patience):
        while select.select([self.terminal], [], [], patience)[0]:
            self.text += os.read(self.terminal, 4096).decode("latin-1")


main()
