"""Mail servers that find the end of a text by rules of their own, the strict one and those that were once common.

Arguments: a port, and for each server its address, an equals sign and the name of its rule. A line of JSON for
each command, and for each text as that server read it.
"""

import base64
import json
import re
import socket
import sys
import threading

# What ends a text behind the CR LF of the DATA line, beginning with the end of the line before it.
RULES = {
    # RFC 5321 4.1.1.4, and what Python's old smtpd did.
    "strict": rb"\r\n\.\r\n",
    # A reader by lines that end in LF, as aiosmtpd was before 1.4.5.
    "lines": rb"\n\.\r\n",
    # CR before LF is for whoever likes it.
    "unix": rb"\n\.\r?\n",
    # CR alone is a line end too, and LF CR.
    "any": rb"[\r\n]\.[\r\n]",
    # Blanks behind the period do not matter.
    "blanks": rb"[\r\n]\.[ \t]*[\r\n]",
    # As any; NULs are left out before anything is looked at.
    "nul": rb"[\r\n]\.[\r\n]",
    # As any; the eighth bit is cleared, and nobody is told that it may be used.
    "seven": rb"[\r\n]\.[\r\n]",
}

SEVEN = bytes(octet & 127 for octet in range(256))

output = threading.Lock()


def tell(**what):
    with output:
        print(json.dumps(what), flush=True)


def converted(rule, octets):
    if rule == "nul":
        return octets.replace(b"\0", b"")
    if rule == "seven":
        return octets.translate(SEVEN)
    return octets


class Server:
    def __init__(self, rule, connection):
        self.rule = rule
        self.connection = connection
        self.heard = b""

    def say(self, *lines):
        self.connection.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def more(self):
        octets = self.connection.recv(65536)
        if not octets:
            raise EOFError
        self.heard += converted(self.rule, octets)

    def command(self):
        while b"\r\n" not in self.heard:
            self.more()
        line, self.heard = self.heard.split(b"\r\n", 1)
        # Of a mark whose CR was its end.
        line = line.removeprefix(b"\n")
        line = line.decode("latin1")
        tell(rule=self.rule, command=line)
        return line

    def text(self):
        end = re.compile(RULES[self.rule])
        # The end of the DATA line begins the first line of the text too.
        self.heard = b"\r\n" + self.heard
        looked = 0
        while not (match := end.search(self.heard, looked)):
            looked = max(0, len(self.heard) - 64)
            self.more()
        text = self.heard[2:self.heard.index(b".", match.start())]
        self.heard = self.heard[match.end():]
        return text

    def serve(self):
        self.say("220 reader.test ESMTP")
        while True:
            line = self.command()
            verb = line.upper()
            if verb.startswith("EHLO"):
                extensions = ["250-PIPELINING"] + (["250-8BITMIME"] if self.rule != "seven" else [])
                self.say("250-reader.test", *extensions, "250 SIZE 0")
            elif verb.startswith("MAIL"):
                sender, recipients = line, []
                self.say("250 OK")
            elif verb.startswith("RCPT"):
                if "<nobody@" in line:
                    # What a report repeats.
                    self.say("550-5.1.1 .", "550-", "550-.", "550 .")
                else:
                    recipients.append(line)
                    self.say("250 OK")
            elif verb == "DATA":
                self.say("354 Go on" if recipients else "554 No recipients")
                if recipients:
                    text = base64.b64encode(self.text()).decode()
                    tell(rule=self.rule, sender=sender, recipients=recipients, text=text)
                    self.say("250 Taken")
            elif verb == "QUIT":
                self.say("221 Bye")
                return
            else:
                self.say("250 OK")


def serve(rule, connection):
    with connection:
        try:
            Server(rule, connection).serve()
        except (EOFError, ConnectionError):
            pass


def accept(rule, listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(rule, connection), daemon=True).start()


port, *places = sys.argv[1:]
for place in places:
    address, rule = place.split("=")
    listener = socket.create_server((address, int(port)))
    threading.Thread(target=accept, args=(rule, listener), daemon=True).start()
tell(ready=True)
# Until nobody wants to know any more.
sys.stdin.read()
