"""
Runs a unit's service under the restrictions of its unit file, as far as they can be put up without
systemd: restricted.py --unit FILE [--unit DROP_IN] [--put SOURCE:TARGET] [--probe]

The service is the unit's own ExecStart, among files that lie where an installation would put them
(--put), in a network of its own that has nothing but a loopback interface. With --probe it is
probe.py instead.
"""

import argparse
import os
import shlex

import kernel
import mounts
import network
import probe
import rights
from filters import read_filters
from unit_file import Service

# What is not about restrictions, but about the start and the end.
START_AND_END = {
    "Type",
    "ExecReload",
    "Restart",
    "RestartSec",
    "TimeoutStopSec",
    "KillMode",
}
# What only systemd can do (control groups, what is left behind), or others do too: the clock, the
# kernel's log and its modules need capabilities, and libseccomp keeps to the native system calls.
OF_SYSTEMD = {"DevicePolicy", "MemoryMax", "TasksMax", "RemoveIPC", "KeyringMode"}
IMPLIED = {
    "PrivateMounts",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "SystemCallArchitectures",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unit", action="append", required=True)
    parser.add_argument("--put", action="append", default=[])
    parser.add_argument("--probe", action="store_true")
    arguments = parser.parse_args()
    os.umask(0o022)
    service = Service(arguments.unit)
    command = shlex.split(service.one("ExecStart"))
    environment = environment_of(service)
    restrict(service, [pair.split(":") for pair in arguments.put])
    if arguments.probe:
        probe.report()
    else:
        os.execve(command[0], command, environment)


def restrict(service, files):
    """Puts everything up. What must be read or asked of other programs comes first."""
    filters = read_filters(service)
    kernel.unshare(namespaces_of(service))
    network.make_loopback()
    mounts.make_installation(files)
    user = rights.make_user(service)
    mounts.restrict(service, user)
    os.chdir(service.one("WorkingDirectory", "/"))
    rights.limit_files(service)
    os.umask(int(service.one("UMask", "0022"), 8))
    rights.give_up(service, user)
    forgotten = service.not_asked() - START_AND_END - OF_SYSTEMD - IMPLIED
    if forgotten:
        raise NotImplementedError(f"directives that this program does not know: {forgotten}")
    for one in filters:
        one.load()


def namespaces_of(service):
    namespaces = kernel.NEW_MOUNTS | kernel.NEW_NET
    if service.is_on("PrivateIPC"):
        namespaces |= kernel.NEW_IPC
    if service.is_on("ProtectHostname"):
        namespaces |= kernel.NEW_UTS
    return namespaces


def environment_of(service):
    """What systemd and the unit set, and nothing else."""
    user = service.one("User")
    return {
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "USER": user,
        "LOGNAME": user,
        "HOME": f"/var/lib/{user}",
        "STATE_DIRECTORY": f"/var/lib/{service.one('StateDirectory')}",
        **dict(word.split("=", 1) for word in shlex.split(" ".join(service.all("Environment")))),
    }


main()
