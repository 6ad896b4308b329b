"""Connects to 127.0.0.1 many times, from many addresses of the loopback network, and says nothing.

Arguments are the port and the number of connections. Prints how many have been greeted when all are
open, holds them until standard input ends, and prints how many were still open then.
"""

import resource
import select
import socket
import sys

AT_ONCE = 200
PATIENCE = 30
# Connections from each address.
EACH = 40


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = []
    greeted = 0
    while len(crowd) < count:
        some = [connect(port, n) for n in range(len(crowd), min(len(crowd) + AT_ONCE, count))]
        greeted += sum(one.recv(512).startswith(b"220 ") for one in some)
        crowd += some
    tell(greeted)
    sys.stdin.read()
    tell(sum(is_open(one) for one in crowd))


def tell(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def connect(port, n):
    n //= EACH
    source = f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}"
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))


def is_open(one):
    poll = select.poll()
    poll.register(one, select.POLLIN | select.POLLHUP | select.POLLERR)
    return poll.poll(0) == []


main()
