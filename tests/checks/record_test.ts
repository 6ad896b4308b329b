/** DNS records as people copy them. */

import assert from "node:assert/strict";
import {
  addressRecord,
  mxRecord,
  ptrRecord,
  reverseName,
  txtRecord,
} from "../../src/checks/record.ts";

Deno.test("records are written as a zone file has them", () => {
  assert.equal(addressRecord("mail.example.com", "192.0.2.1"), "mail.example.com.  A  192.0.2.1");
  assert.equal(
    addressRecord("mail.example.com", "2001:db8::1"),
    "mail.example.com.  AAAA  2001:db8::1",
  );
  assert.equal(
    mxRecord("example.com", 10, "mail.example.com"),
    "example.com.  MX  10 mail.example.com.",
  );
  assert.equal(
    ptrRecord("192.0.2.1", "mail.example.com"),
    "1.2.0.192.in-addr.arpa.  PTR  mail.example.com.",
  );
  assert.equal(txtRecord("example.com", "v=spf1 -all"), 'example.com.  TXT  "v=spf1 -all"');
});

Deno.test("an IPv6 address is reversed nibble by nibble (RFC 3596 2.5)", () => {
  assert.equal(
    reverseName("2001:db8::1f"),
    "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
});

Deno.test("a text of more than 255 octets stands in several strings", () => {
  const text = "a".repeat(255) + "b";
  assert.equal(txtRecord("x.test", text), `x.test.  TXT  "${"a".repeat(255)}" "b"`);
});

Deno.test("quotes and backslashes of a text are escaped", () => {
  assert.equal(txtRecord("x.test", 'a"b\\c'), 'x.test.  TXT  "a\\"b\\\\c"');
});
