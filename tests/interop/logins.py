"""Logs in under TLS, again and again: logins.py PORT AUTHORITY

Reads from standard input, as JSON, a list of clients: {"address", "name", "passwords"}. Each connects
from its own address, and when all are there they begin. A client tries one password after the other, on
one connection as long as that is open. Writes as JSON what each has heard: lists of {"code", "status", "seconds"}.
"""

import base64
import json
import smtplib
import ssl
import sys
import threading
import time

port, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)


def encode(text):
    return base64.b64encode(text.encode()).decode()


class Client:
    def __init__(self, address, name, passwords):
        self.address = address
        self.credentials = [encode(f"\0{name}\0{password}") for password in passwords]
        self.heard = []

    def run(self):
        server = self.connect()
        everybody.wait(30)
        for credentials in self.credentials:
            server = server or self.connect()
            start = time.monotonic()
            code, text = server.docmd("AUTH PLAIN", credentials)
            seconds = time.monotonic() - start
            self.heard.append({"code": code, "status": text.split()[0].decode(), "seconds": seconds})
            if code != 535:
                server.close()
                server = None
        if server:
            server.close()

    def connect(self):
        server = smtplib.SMTP_SSL(
            "localhost", int(port), timeout=40, context=context, source_address=(self.address, 0)
        )
        server.ehlo("client.example")
        return server


clients = [Client(**client) for client in json.load(sys.stdin)]
everybody = threading.Barrier(len(clients))
threads = [threading.Thread(target=client.run) for client in clients]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
json.dump([client.heard for client in clients], sys.stdout)
