/** The counter-proof: what a program under the unit's restrictions cannot do, and could without. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { noRestrictions, probe } from "./installation.ts";

const open = "/srv/open";

Deno.test({
  ...skippable("a program under the unit can do what the daemon needs", noRestrictions),
  async fn() {
    const outcomes = await probe({ open });
    const done = Object.keys(outcomes).filter((what) => outcomes[what] === "done");
    assert.deepEqual(done, [
      "write into the state directory",
      "write into /tmp",
      "listen on port 25",
      "ask for addresses",
      "run what was written into memory",
      "run /bin/kill",
    ]);
  },
});

Deno.test({
  ...skippable("a program under the unit can do nothing else", noRestrictions),
  async fn() {
    const outcomes = await probe({ open });
    const refused = Object.entries(outcomes).filter(([, outcome]) => outcome !== "done");
    assert.deepEqual(Object.fromEntries(refused), {
      "write into /etc": "EROFS",
      "write where everybody may": "EROFS",
      "write into the file system's root": "EROFS",
      "see a home directory": "EACCES",
      "run a shell": "EACCES",
      "see process 1": "ENOENT",
      "see the kernel's settings": "ENOENT",
      "open the kernel's log": "ENOENT",
      "make a device": "EPERM",
      "open a raw socket": "EPERM",
      "open a packet socket": "EAFNOSUPPORT",
      "open a local socket": "EAFNOSUPPORT",
      "mount": "EPERM",
      "make a user namespace": "EPERM",
      "take another capability": "EPERM",
      "become root": "EPERM",
      "give a file its user's rights": "EPERM",
      "signal process 1": "EPERM",
      "set the clock": "EPERM",
      "set the host's name": "EPERM",
      "change the personality": "EPERM",
      "run in real time": "EPERM",
      "lower its own priority": "EPERM",
      "trace a process": "EPERM",
    });
  },
});

const BARE = `[Service]
User=denosmtpd
ExecStart=/usr/local/bin/denosmtpd
StateDirectory=denosmtpd
WorkingDirectory=/var/lib/denosmtpd
PrivateTmp=yes
`;

Deno.test({
  ...skippable("under a unit without restrictions it could do much of that", noRestrictions),
  async fn() {
    const outcomes = await probe({ open, unit: BARE });
    assert.notEqual(outcomes["listen on port 25"], "done");
    for (
      const what of [
        "write where everybody may",
        "see a home directory",
        "run a shell",
        "see process 1",
        "see the kernel's settings",
        "open a local socket",
        "give a file its user's rights",
        "change the personality",
        "lower its own priority",
        "trace a process",
      ]
    ) assert.equal(outcomes[what], "done", what);
  },
});
