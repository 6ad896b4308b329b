/** Paths, mailboxes, domains and IP addresses as whoever wants to may write them. */

import assert from "node:assert/strict";
import { isIP } from "node:net";
import { contains, parseNetwork } from "../../src/config/network.ts";
import { ValueError } from "../../src/config/problem.ts";
import {
  isDomainName,
  type Mailbox,
  mailboxKey,
  parseDomain,
  parseMailbox,
  type Path,
  PathError,
  printMailbox,
  printPath,
  readForwardPath,
  readReversePath,
} from "../../src/smtp/address.ts";
import { Cursor } from "../../src/smtp/cursor.ts";
import {
  addressLiteral,
  canonicalIp,
  formatIp,
  literalAddress,
  parseIp,
  parseIpv6,
} from "../../src/smtp/ip.ts";
import * as grammar from "./grammar.ts";
import { characters, octets } from "./octets.ts";
import type { Target } from "./target.ts";

/** What `read` makes of the text, undefined where it says in fitting words that it is none. */
function attempt<T>(read: () => T): { readonly value: T } | undefined {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    assert.match(error.message, /^[ -~]+$/, "the words are fit for a reply");
    return undefined;
  }
}

/** A mailbox is written in one way that reads back to it, and is fit for any line. */
export function checkMailbox(mailbox: Mailbox): void {
  const text = printMailbox(mailbox);
  assert.match(text, /^[ -~]+$/);
  assert.ok(printPath(mailbox).length <= 256, "RFC 5321 4.5.3.1.3");
  assert.ok(mailbox.domain.length <= 255, "RFC 5321 4.5.3.1.2");
  const again = readForwardPath(new Cursor(printPath(mailbox)));
  assert.deepEqual(again, { mailbox, route: [] });
  assert.equal(mailboxKey(again.mailbox), mailboxKey(mailbox));
  if (mailbox.domain === "") return assert.match(mailbox.localPart, /^postmaster$/i);
  assert.deepEqual(parseMailbox(text), mailbox);
  assert.equal(parseDomain(mailbox.domain), mailbox.domain);
}

function checkPath(read: (cursor: Cursor) => Path | null, text: string): Path | null | undefined {
  const cursor = new Cursor(text);
  const result = attempt(() => read(cursor));
  if (!result) return undefined;
  const { value: path } = result;
  assert.ok(text[0] === "<" && text[cursor.at - 1] === ">", "it stands in angle brackets");
  if (path) {
    checkMailbox(path.mailbox);
    for (const host of path.route) assert.equal(parseDomain(host), host);
  }
  return path;
}

export const address: Target = {
  name: "address",
  runs: 30_000,
  words: [
    "<",
    ">",
    "@",
    '"',
    "\\",
    ":",
    ",",
    "[",
    "]",
    "IPv6:",
    "postmaster",
    "..",
    "@a,@b:",
    "@a:",
  ],
  reaches: { path: 0.1, mailbox: 0.08, quoted: 0.04, literal: 0.03, route: 0.01, null: 0.005 },
  generate(random) {
    const text = random.chance(0.5) ? grammar.path(random) : grammar.mailbox(random);
    return octets(random.chance(0.1) ? grammar.domain(random) : text);
  },
  run(_, input) {
    const text = characters(input);
    const reached: string[] = [];
    const forward = checkPath(readForwardPath, text);
    const reverse = checkPath(readReversePath, text);
    if (reverse === null) reached.push("null");
    else if (reverse) assert.deepEqual(reverse, forward, "a path is one in either command");
    const mailbox = attempt(() => parseMailbox(text))?.value;
    if (mailbox) {
      checkMailbox(mailbox);
      reached.push("mailbox");
    }
    for (const read of [forward?.mailbox, mailbox]) {
      if (read?.domain.startsWith("[")) reached.push("literal");
      if (read && printMailbox(read).startsWith('"')) reached.push("quoted");
    }
    if (forward) reached.push("path", ...forward.route.length > 0 ? ["route"] : []);
    const domain = parseDomain(text);
    if (domain !== undefined) {
      assert.equal(parseDomain(domain), domain);
      assert.match(domain, /^[!-~]+$/);
      reached.push("domain");
    }
    assert.equal(isDomainName(text), domain !== undefined && !text.startsWith("["));
    return reached;
  },
};

export const ip: Target = {
  name: "ip",
  runs: 30_000,
  words: ["::", ":", ".", "0", "ffff", "::ffff:", "/", "/24", "/0", "/128", "%eth0", "192.0.2.1"],
  reaches: { IPv4: 0.02, IPv6: 0.02, mapped: 0.001, network: 0.05 },
  generate(random) {
    const bits = random.chance(0.2)
      ? `/${random.pick(["0", "8", "24", "32", "64", "128", "129"])}`
      : "";
    return octets(grammar.ip(random) + bits);
  },
  run(random, input) {
    const text = characters(input);
    const reached: string[] = [];
    const bytes = parseIp(text);
    // Node reads no zero in front of a number, which is one here (RFC 788 4.1.2), and zones.
    const known = isIP(text) !== 0 && !text.includes("%");
    assert.ok(bytes || !known, "whatever Node takes for an address is one");
    if (bytes) {
      const printed = formatIp(bytes);
      assert.deepEqual(parseIp(printed), bytes);
      assert.equal(canonicalIp(text), printed);
      assert.equal(literalAddress(addressLiteral(bytes)), printed);
      assert.equal(parseDomain(addressLiteral(bytes)), addressLiteral(bytes));
      assert.equal(isIP(printed), bytes.length === 4 ? 4 : 6);
      if (bytes.length === 16) {
        assert.equal(new URL(`http://[${printed}]`).hostname, `[${printed}]`);
      }
      reached.push(bytes.length === 4 ? "IPv4" : "IPv6");
      if (bytes.length === 4 && parseIpv6(text)) reached.push("mapped");
    }
    reached.push(...checkNetwork(text, () => random.between(0, 255)));
    return reached;
  },
};

function checkNetwork(text: string, octet: () => number): string[] {
  let network;
  try {
    network = parseNetwork(text);
  } catch (error) {
    if (error instanceof ValueError) return [];
    throw error;
  }
  const { address, bits } = network;
  const size = 8 * address.length;
  assert.ok(bits >= 0 && bits <= size);
  assert.ok(contains(network, formatIp(address)), "its own address is in it");
  // Any other is in it by what is the same in front, counted in digits.
  const other = address.map((byte, i) => i < bits / 8 && octet() < 240 ? byte : octet());
  const digits = (bytes: Uint8Array) =>
    Array.from(bytes, (b) => b.toString(2).padStart(8, "0")).join("");
  const inside = digits(other).slice(0, bits) === digits(address).slice(0, bits);
  const written = formatIp(other);
  const mapped = parseIp(written)?.length !== address.length;
  assert.equal(contains(network, written), inside && !mapped);
  return ["network"];
}
