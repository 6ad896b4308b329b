"""
Tries what a unit may forbid, and a few things that the daemon needs. Part of restricted.py, because
no interpreter can be started where the unit's restrictions are up.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
import time

import kernel

NEW_USER_NAMESPACE = 0x10000000
RAISE_AMBIENT, CAP_NET_RAW = (47, 2), 13


def call(name, *arguments):
    function = getattr(kernel.libc, name)
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def write(path):
    with open(path, "w") as file:
        file.write("x")


def open_socket(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()


def listen():
    with socket.socket() as one:
        one.bind(("0.0.0.0", 25))
        one.listen()


def run(program, *words):
    process = os.posix_spawn(program, [program, *words], {})
    os.waitpid(process, 0)


def set_user_bit():
    write("with-user-bit")
    os.chmod("with-user-bit", 0o4700)


def write_and_run_memory():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def leave_namespaces():
    child = os.fork()
    if child == 0:
        # Only a process of one thread may, and it must not be this one.
        failed = kernel.libc.unshare(NEW_USER_NAMESPACE) < 0
        os._exit(ctypes.get_errno() if failed else 0)
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError(os.waitstatus_to_exitcode(status), "unshare")


TRIES = {
    "write into the state directory": lambda: write("written"),
    "write into /tmp": lambda: write("/tmp/written"),
    "listen on port 25": listen,
    "ask for addresses": lambda: open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "run what was written into memory": write_and_run_memory,
    "run /bin/kill": lambda: run("/bin/kill", "-0", str(os.getpid())),
    "write into /etc": lambda: os.mkdir("/etc/written"),
    "write where everybody may": lambda: write("/srv/open/written"),
    "write into the file system's root": lambda: os.mkdir("/written"),
    "see a home directory": lambda: os.listdir("/home"),
    "run a shell": lambda: run("/bin/sh", "-c", ":"),
    "see process 1": lambda: os.stat("/proc/1"),
    "see the kernel's settings": lambda: os.stat("/proc/sys"),
    "open the kernel's log": lambda: os.stat("/dev/kmsg"),
    "make a device": lambda: os.mknod("device", 0o020600, os.makedev(1, 3)),
    "open a raw socket": lambda: open_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "open a packet socket": lambda: open_socket(socket.AF_PACKET, socket.SOCK_RAW),
    "open a local socket": lambda: open_socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "mount": lambda: kernel.mount("tmpfs", "/tmp", "tmpfs"),
    "make a user namespace": leave_namespaces,
    "take another capability": lambda: kernel.control(*RAISE_AMBIENT, CAP_NET_RAW),
    "become root": lambda: os.setuid(0),
    "give a file its user's rights": set_user_bit,
    "signal process 1": lambda: os.kill(1, 0),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "set the host's name": lambda: socket.sethostname("other.example"),
    "change the personality": lambda: call("personality", ctypes.c_ulong(8)),
    "run in real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "lower its own priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, 1),
    "trace a process": lambda: call("ptrace", 0, 0, 0, 0),
}


def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def report():
    """Prints as JSON what came of each: "done", or the name of the error."""
    json.dump({name: outcome(attempt) for name, attempt in TRIES.items()}, sys.stdout)
