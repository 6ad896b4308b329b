/** DMARC records: worth a note where there is none. */

import assert from "node:assert/strict";
import { checkDmarc } from "../../src/checks/dmarc.ts";
import { type Zone, ZoneLookup } from "./zone.ts";

const check = (domain: string, zone: Zone) => checkDmarc(domain, { lookup: new ZoneLookup(zone) });

Deno.test("a domain with a DMARC record is good", async () => {
  const finding = await check("example.com", {
    "_dmarc.example.com": { TXT: ["v=DMARC1; p=none"] },
  });
  assert.deepEqual([finding.state, finding.is], ["good", '"v=DMARC1; p=none"']);
});

Deno.test("the record of a domain above counts too", async () => {
  const zone = { "_dmarc.example.com": { TXT: ["v=DMARC1;p=reject"] } };
  const finding = await check("mail.example.com", zone);
  assert.equal(finding.state, "good");
  assert.match(finding.is, /of _dmarc\.example\.com$/);
});

Deno.test("no record is a note with the record to add, and so is a text that is none", async () => {
  for (const TXT of [["v=DMARC10; p=none"], ["hello"]]) {
    const finding = await check("example.com", { "_dmarc.example.com": { TXT } });
    assert.equal(finding.state, "note");
    assert.deepEqual(finding.mend, ['_dmarc.example.com.  TXT  "v=DMARC1; p=none"']);
  }
});

Deno.test("the top of the tree is not asked", async () => {
  const zone = { "_dmarc.com": { TXT: ["v=DMARC1; p=reject"] } };
  assert.equal((await check("example.com", zone)).state, "note");
});
