"""Calls of Linux that Python does not know, each raising OSError with the kernel's reason."""

import ctypes
import os

NEW_MOUNTS, NEW_NET, NEW_IPC, NEW_UTS = 0x00020000, 0x40000000, 0x08000000, 0x04000000
READ_ONLY, NO_SET_USER_ID, NO_DEVICES, NO_PROGRAMS = 0x1, 0x2, 0x4, 0x8
BIND, RECURSIVE, PRIVATE, DETACH = 0x1000, 0x4000, 0x40000, 0x2
SET_ATTRIBUTES_OF_MOUNTS = 442
AT_CURRENT_FOLDER, AT_RECURSIVE = -100, 0x8000

libc = ctypes.CDLL(None, use_errno=True)


def _done(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {what}")
    return result


def unshare(namespaces):
    _done(libc.unshare(namespaces), "unshare")


def join(descriptor, namespace):
    _done(libc.setns(descriptor, namespace), "setns")


def mount(source, target, kind=None, flags=0, options=None):
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    options = None if options is None else options.encode()
    _done(libc.mount(*words, ctypes.c_ulong(flags), options), f"mount {source} on {target}")


def bind(source, target):
    mount(source, target, flags=BIND | RECURSIVE)


def detach(target):
    _done(libc.umount2(target.encode(), DETACH), f"unmount {target}")


class _Attributes(ctypes.Structure):
    """mount_setattr's mount_attr."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def set_mounts(path, set=0, clear=0):
    """Sets and clears attributes of a mount and of all below it. Since Linux 5.12."""
    attributes = _Attributes(set, clear, 0, 0)
    result = libc.syscall(
        SET_ATTRIBUTES_OF_MOUNTS,
        AT_CURRENT_FOLDER,
        path.encode(),
        AT_RECURSIVE,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    _done(result, f"attributes of {path}")


def control(option, *arguments):
    """prctl"""
    arguments = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _done(libc.prctl(option, *arguments), "prctl")


def set_capabilities(effective, permitted, inheritable):
    """capset of this thread; sets are bit masks of up to 64 capabilities."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    words = [
        (kind >> shift) & 0xFFFFFFFF
        for shift in (0, 32)
        for kind in (effective, permitted, inheritable)
    ]
    _done(libc.capset(header, (ctypes.c_uint32 * 6)(*words)), "capset")
