"""The system call filters of a unit, loaded by libseccomp as systemd loads them."""

import ctypes
import errno
import socket
import subprocess

ALLOW = 0x7FFF0000
EQUAL, GREATER_OR_EQUAL, MASKED_EQUAL = 4, 5, 7

# Mounts, control groups, host name, IPC, users, processes, network.
NEW_NAMESPACES = [1 << bit for bit in (17, 25, 26, 27, 28, 29, 30)]
MAX_FAMILY = 64
REALTIME_POLICIES = [1, 2, 6]
SET_USER_OR_GROUP_ID = [0o4000, 0o2000]
# Calls that set a mode, and which argument that is.
MODES = [
    ("chmod", 1),
    ("fchmod", 1),
    ("fchmodat", 2),
    ("mkdir", 1),
    ("mkdirat", 2),
    ("open", 2),
    ("openat", 3),
]

seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
seccomp.seccomp_init.restype = ctypes.c_void_p
seccomp.seccomp_load.argtypes = [ctypes.c_void_p]
seccomp.seccomp_release.argtypes = [ctypes.c_void_p]


class Comparison(ctypes.Structure):
    """libseccomp's scmp_arg_cmp: the argument, how it is compared, and with what."""

    _fields_ = [
        ("argument", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("one", ctypes.c_uint64),
        ("two", ctypes.c_uint64),
    ]


seccomp.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.POINTER(Comparison),
]


class Filter:
    def __init__(self, otherwise=ALLOW):
        self._context = seccomp.seccomp_init(ctypes.c_uint32(otherwise))

    def add(self, action, call, *comparisons):
        """A call that this machine does not have needs no rule."""
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number == -1:
            return
        array = (Comparison * len(comparisons))(*comparisons)
        done = seccomp.seccomp_rule_add_array(
            self._context, action, number, len(comparisons), array
        )
        # A call of another architecture only, such as socketcall.
        if done not in (0, -errno.EDOM):
            raise OSError(-done, f"no rule for {call}")

    def load(self):
        done = seccomp.seccomp_load(self._context)
        if done != 0:
            raise OSError(-done, "the filter was not taken")
        seccomp.seccomp_release(self._context)


def refuse(number):
    return 0x00050000 | number


def read_filters(service):
    """All of a unit's filters, the list of its system calls last: it may forbid to load more."""
    filters = [_addresses(service), *_switches(service), _calls(service)]
    return [one for one in filters if one is not None]


def _calls(service):
    lines = service.all("SystemCallFilter")
    if not lines:
        return None
    if lines[0].startswith("~"):
        raise ValueError("a filter that begins by taking away is not known here")
    sets = _call_sets()
    allowed = set(_expand("@default", sets))
    for line in lines:
        calls = {call for word in line.lstrip("~").split() for call in _expand(word, sets)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    number = getattr(errno, service.one("SystemCallErrorNumber"))
    filter = Filter(refuse(number))
    for call in sorted(allowed):
        filter.add(ALLOW, call)
    return filter


def _call_sets():
    """systemd's sets of system calls by name, such as @system-service."""
    listed = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"],
        capture_output=True,
        check=True,
        text=True,
    )
    sets, current = {}, []
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            current = sets.setdefault(line.strip(), [])
        elif line.startswith(" ") and not line.strip().startswith("#"):
            current.append(line.strip())
        elif line.startswith("#"):
            # What the kernel has and no set names.
            current = []
    return sets


def _expand(word, sets):
    if not word.startswith("@"):
        return [word]
    return [call for member in sets[word] for call in _expand(member, sets)]


def _addresses(service):
    allowed = {getattr(socket, word) for word in service.words("RestrictAddressFamilies")}
    if not allowed:
        return None
    filter = Filter()
    refused = refuse(errno.EAFNOSUPPORT)
    for family in set(range(MAX_FAMILY)) - allowed:
        filter.add(refused, "socket", Comparison(0, EQUAL, family))
    filter.add(refused, "socket", Comparison(0, GREATER_OR_EQUAL, MAX_FAMILY))
    return filter


def _switches(service):
    """What directives refuse that are only on or off."""
    refused = refuse(errno.EPERM)
    if service.is_on("RestrictNamespaces"):
        filter = Filter()
        for flag in NEW_NAMESPACES:
            filter.add(refused, "unshare", Comparison(0, MASKED_EQUAL, flag, flag))
            filter.add(refused, "clone", Comparison(0, MASKED_EQUAL, flag, flag))
        filter.add(refused, "setns")
        # Its flags lie in memory, where no filter looks; programs fall back on clone.
        filter.add(refuse(errno.ENOSYS), "clone3")
        yield filter
    if service.is_on("RestrictRealtime"):
        filter = Filter()
        for policy in REALTIME_POLICIES:
            filter.add(refused, "sched_setscheduler", Comparison(1, EQUAL, policy))
        yield filter
    if service.is_on("RestrictSUIDSGID"):
        filter = Filter()
        for bit in SET_USER_OR_GROUP_ID:
            for call, argument in MODES:
                filter.add(refused, call, Comparison(argument, MASKED_EQUAL, bit, bit))
        yield filter
    if service.is_on("LockPersonality"):
        filter = Filter()
        # Personality 0 is the one that it has.
        filter.add(refused, "personality", Comparison(0, GREATER_OR_EQUAL, 1))
        yield filter
