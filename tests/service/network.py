"""A network namespace with nothing but its loopback interface."""

import fcntl
import socket
import struct

SET_FLAGS, SET_ADDRESS = 0x8914, 0x8916
UP = 1
# Of the range for documentation (RFC 5737): an address that is not loopback.
ADDRESS = "192.0.2.1"


def make_loopback():
    """Starts the interface, with one more address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.pack("16sh22x", b"lo", UP)
        fcntl.ioctl(any_socket, SET_FLAGS, flags)
        address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
        fcntl.ioctl(any_socket, SET_ADDRESS, struct.pack("16s16s8x", b"lo:1", address))
