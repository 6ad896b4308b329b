"""The file system as a unit's service sees it, in a mount namespace of its own."""

import os
import stat

from kernel import (
    NO_DEVICES,
    NO_PROGRAMS,
    NO_SET_USER_ID,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    bind,
    detach,
    mount,
    set_mounts,
)

# Where tests put files of an installation. What they put there is seen in the namespace alone.
CHANGED = ["/etc", "/usr", "/var", "/srv", "/home"]
# Where files of the tests themselves are seen while the namespace is made.
STAGE = "/mnt"
HOMES = ["/home", "/root", "/run/user"]
DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
NOT_PROTECTED = ["/proc", "/dev", "/sys"]


def make_installation(files):
    """Lays files and folders, `[(source, target)]`, over the machine's own."""
    mount(None, "/", flags=PRIVATE | RECURSIVE)
    mount("tmpfs", STAGE, "tmpfs")
    for directory in CHANGED:
        upper, work = (f"{STAGE}/{part}{directory}" for part in ("upper", "work"))
        os.makedirs(upper)
        os.makedirs(work)
        options = f"lowerdir={directory},upperdir={upper},workdir={work}"
        mount("overlay", directory, "overlay", options=options)
    detach(STAGE)
    for source, target in files:
        _make_mount_point(target, os.path.isdir(source))
        bind(source, target)


def restrict(service, user):
    """Puts up the directives of systemd.exec that are about paths."""
    state = _make_state(service, user)
    writable = [state, *service.words("ReadWritePaths")]
    if service.is_on("PrivateTmp"):
        for directory in ("/tmp", "/var/tmp"):
            mount("tmpfs", directory, "tmpfs", NO_SET_USER_ID | NO_DEVICES, "mode=1777")
            writable.append(directory)
    if service.is_on("ProtectHome"):
        for directory in filter(os.path.isdir, HOMES):
            mount("tmpfs", directory, "tmpfs", READ_ONLY, "mode=000")
    if service.one("ProtectSystem") == "strict":
        _set_except("/", READ_ONLY, [*NOT_PROTECTED, *writable])
    _forbid_programs(service)
    if service.is_on("PrivateDevices"):
        _make_devices()
    if service.is_on("ProtectKernelTunables"):
        set_mounts("/sys", READ_ONLY)
    _mount_proc(service)


def _make_mount_point(path, is_directory):
    os.makedirs(path if is_directory else os.path.dirname(path), exist_ok=True)
    if not is_directory and not os.path.exists(path):
        open(path, "x").close()


def _make_state(service, user):
    path = f"/var/lib/{service.one('StateDirectory')}"
    os.makedirs(path, exist_ok=True)
    os.chmod(path, int(service.one("StateDirectoryMode", "0755"), 8))
    os.chown(path, user, user)
    return path


def _set_except(path, attribute, exceptions):
    """Sets an attribute of a path and of all below it, but not of the exceptions."""
    for one in exceptions:
        # It must be a mount to have attributes of its own.
        bind(one, one)
    set_mounts(path, attribute)
    for one in exceptions:
        set_mounts(one, clear=attribute)


def _forbid_programs(service):
    words = service.words("ExecPaths")
    # "-" in front: it need not exist.
    paths = [word[1:] for word in words if word[0] == "-" and os.path.exists(word[1:])]
    paths += [word for word in words if word[0] != "-"]
    # Some are symbolic links to others.
    allowed = list(dict.fromkeys(map(os.path.realpath, paths)))
    for path in service.words("NoExecPaths"):
        _set_except(path, NO_PROGRAMS, allowed)


def _make_devices():
    mount("tmpfs", STAGE, "tmpfs", NO_SET_USER_ID | NO_PROGRAMS, "mode=755")
    for name in DEVICES:
        path = f"{STAGE}/{name}"
        os.mknod(path, stat.S_IFCHR | 0o666, os.stat(f"/dev/{name}").st_rdev)
        os.chmod(path, 0o666)
    os.symlink("/proc/self/fd", f"{STAGE}/fd")
    bind(STAGE, "/dev")
    detach(STAGE)
    set_mounts("/dev", READ_ONLY)


def _mount_proc(service):
    hidden, subset = service.one("ProtectProc"), service.one("ProcSubset")
    options = [f"hidepid={hidden}"] if hidden else []
    options += [f"subset={subset}"] if subset else []
    if options:
        mount("proc", "/proc", "proc", NO_SET_USER_ID | NO_DEVICES | NO_PROGRAMS, ",".join(options))
