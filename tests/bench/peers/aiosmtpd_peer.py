"""aiosmtpd at a port of this machine: python3 aiosmtpd_peer.py PORT FOLDER

The mail for NAME@anywhere goes into the Maildir FOLDER/NAME, which exists. It is synced, and so is
its directory, before the client hears 250. Threads do that, so that the sessions go on meanwhile.
"""

import asyncio
import itertools
import os
import signal
import sys

from aiosmtpd.smtp import SMTP

port, folder = int(sys.argv[1]), sys.argv[2]
count = itertools.count()


def sync_directory(path):
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def keep(recipients, text):
    name = f"{os.getpid()}.{next(count)}"
    first, *others = [f"{folder}/{one.split('@')[0]}" for one in recipients]
    with open(f"{first}/tmp/{name}", "xb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    for other in others:
        os.link(f"{first}/tmp/{name}", f"{other}/tmp/{name}")
    for maildir in [first, *others]:
        os.rename(f"{maildir}/tmp/{name}", f"{maildir}/new/{name}")
        sync_directory(f"{maildir}/new")


class Keeper:
    async def handle_DATA(self, server, session, envelope):
        await asyncio.to_thread(keep, envelope.rcpt_tos, envelope.content)
        return "250 kept"


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Keeper(), hostname="me.example", ident="bench"),
        host="127.0.0.1",
        port=port,
        backlog=1000,
    )
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()


asyncio.run(serve())
