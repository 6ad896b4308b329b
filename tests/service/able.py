"""Says in one line why restricted.py cannot work on this machine, or nothing where it can."""

import shutil
import sys


def obstacle():
    if shutil.which("systemd-analyze") is None:
        return "systemd-analyze is not installed"
    try:
        import filters  # noqa: F401
    except OSError:
        return "libseccomp.so.2 is not installed"
    import kernel
    import mounts

    try:
        kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_NET | kernel.NEW_IPC | kernel.NEW_UTS)
        mounts.make_installation([])
        kernel.set_mounts("/", kernel.READ_ONLY)
    except OSError as error:
        return f"no namespaces as a unit has them: {error.strerror}"
    return None


sys.stdout.write(obstacle() or "")
