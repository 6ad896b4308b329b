/** IP addresses as text and as bytes. One spelling comes out, whichever went in. */

/** 4 bytes for IPv4, 16 for IPv6, in network order. */
export type IpBytes = Uint8Array;

/**
 * Reads four decimal numbers of one to three digits. A leading zero is only a zero: RFC 788 4.1.2
 * writes three digits, so `010` is ten, never octal eight.
 */
export function parseIpv4(text: string): IpBytes | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const numbers = match.slice(1).map(Number);
  return numbers.every((n) => n <= 255) ? Uint8Array.from(numbers) : undefined;
}

/** Reads any form of RFC 4291 2.2: full, with `::`, with an IPv4 tail. No zone, no brackets. */
export function parseIpv6(text: string): IpBytes | undefined {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? "");
  const tail = halves.length === 2 ? groups(halves[1] ?? "") : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  // An IPv4 tail is the last thing of an address, so never left of `::`.
  if (halves.length === 2 && (halves[0] ?? "").includes(".")) return undefined;
  const bytes = new Uint8Array(16);
  [...head, ...Array<number>(missing).fill(0), ...tail].forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const result: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      result.push(parseInt(part, 16));
      continue;
    }
    const ipv4 = i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (!ipv4) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = ipv4;
    result.push(a << 8 | b, c << 8 | d);
  }
  return result;
}

/**
 * Reads an address of either family. An IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`, how a
 * socket on `::` shows an IPv4 peer) comes out as IPv4.
 */
export function parseIp(text: string): IpBytes | undefined {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  return bytes && isMapped(bytes) ? bytes.slice(12) : bytes;
}

function isMapped(bytes: IpBytes): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((b) => b === 0);
}

/** Writes an address in its one canonical form (RFC 5952: lower case, longest run of zeros as `::`). */
export function formatIp(bytes: IpBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const numbers = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! << 8 | bytes[2 * i + 1]!);
  const [start, length] = longestZeroRun(numbers);
  const hex = numbers.map((n) => n.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function longestZeroRun(numbers: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  numbers.forEach((n, i) => {
    if (n !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  });
  return best;
}

/** The canonical text of an address, or undefined where the text is none. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
}

/** The address literal of RFC 5321 4.1.3 for an address: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export function addressLiteral(bytes: IpBytes): string {
  return bytes.length === 4 ? `[${formatIp(bytes)}]` : `[IPv6:${formatIp(bytes)}]`;
}

/** The address in an address literal, undefined where the text is none. */
export function literalAddress(literal: string): string | undefined {
  const text = /^\[(?:IPv6:)?(.+)\]$/i.exec(literal)?.[1];
  return text === undefined ? undefined : canonicalIp(text);
}
