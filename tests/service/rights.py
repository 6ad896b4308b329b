"""The user and the capabilities of a unit's service."""

import os
import resource

import kernel

# Of no user in any distribution, and not of systemd's own range for passing users.
USER_ID = 59025
CAPABILITIES = {"CAP_NET_BIND_SERVICE": 10}

# Options of prctl.
KEEP_CAPABILITIES, READ_BOUNDING_SET, DROP_FROM_BOUNDING_SET = 8, 23, 24
SET_NO_NEW_PRIVILEGES, AMBIENT, RAISE = 38, 47, 2


def make_user(service):
    """Makes the unit's user, and a group of the same name, known to this machine."""
    name = service.one("User")
    with open("/etc/passwd", "a") as users, open("/etc/group", "a") as groups:
        users.write(f"{name}:x:{USER_ID}:{USER_ID}::/var/lib/{name}:/usr/sbin/nologin\n")
        groups.write(f"{name}:x:{USER_ID}:\n")
    return USER_ID


def limit_files(service):
    """To what the unit says, or to what this process may hand on where that is less."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = min(int(service.one("LimitNOFILE", most)), most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def give_up(service, user):
    """Becomes the user, with the unit's capabilities and no way to others."""
    bounding = {CAPABILITIES[name] for name in service.words("CapabilityBoundingSet")}
    ambient = {CAPABILITIES[name] for name in service.words("AmbientCapabilities")}
    for capability in [one for one in _known_capabilities() if one not in bounding]:
        kernel.control(DROP_FROM_BOUNDING_SET, capability)
    kernel.control(KEEP_CAPABILITIES, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    mask = sum(1 << capability for capability in ambient)
    kernel.set_capabilities(effective=mask, permitted=mask, inheritable=mask)
    for capability in ambient:
        kernel.control(AMBIENT, RAISE, capability)
    if service.is_on("NoNewPrivileges"):
        kernel.control(SET_NO_NEW_PRIVILEGES, 1)


def _known_capabilities():
    # /proc shows nothing but processes by now.
    capability = 0
    while True:
        try:
            kernel.control(READ_BOUNDING_SET, capability)
        except OSError:
            return
        yield capability
        capability += 1
