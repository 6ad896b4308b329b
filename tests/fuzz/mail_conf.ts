/** mail.conf. */

import assert from "node:assert/strict";
import { type MailConf, readMailConf, type SystemFacts } from "../../src/config/mail_conf.ts";
import { relayTlsFor } from "../../src/config/relay_tls.ts";
import { parseDomain } from "../../src/smtp/address.ts";
import { canonicalIp } from "../../src/smtp/ip.ts";
import type { Random } from "../support/random.ts";
import { fileLine, problemsOf, withFile, words } from "./conf_file.ts";
import * as grammar from "./grammar.ts";
import { octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

type Make = (random: Random) => string;

const pick = (...values: string[]): Make => (random) => random.pick(values);
const PORT = pick("0", "25", "587", "465", "65535", "65536", "-1", "2525", "x", "");
const COUNT = pick("1", "1000", "0", "64", "65", "1e3", "1000000", "99999999999999999999", "1 000");
const TIME = pick(
  "90",
  "90s",
  "5m",
  "4h",
  "5d",
  "0",
  "1y",
  "5 m",
  "5m 10m",
  "5M",
  "86401",
  "999999999d",
);
const SIZE = pick("50M", "64K", "65536", "1G", "1", "1T", "64 k", "64kb", "999999999999999g");
const PATH = pick("/tmp/x", "spool", "/", "a b", "./x.pem", utf8("/é"), "", "a\\b", "~", "x:y");
const list = (make: Make): Make => (random) =>
  grammar.several(random, () => make(random), 1, 3, random.pick([",", ", ", " , ", " "]));

const VALUES: Readonly<Record<string, Make>> = {
  HOSTNAME: (random) => grammar.domain(random),
  LISTEN_ADDR: list((random) =>
    random.chance(0.5) ? random.pick(["127.0.0.1", "::"]) : grammar.ip(random)
  ),
  LISTEN_PORT: PORT,
  RELAY_PORT: PORT,
  MAX_CLIENTS: COUNT,
  CLIENT_TIMEOUT: TIME,
  LOCAL_DOMAINS: list(grammar.domain),
  RELAY_FROM: list((random) =>
    `${grammar.ip(random)}${random.pick(["", "/8", "/24", "/33", "/"])}`
  ),
  RELAY_HOST: (random) =>
    `${grammar.domain(random)}${random.pick(["", ":25", ":465", ":0", ":x"])}`,
  SPOOL_DIR: PATH,
  MAX_CLIENTS_PER_ADDRESS: COUNT,
  MAX_MESSAGE_SIZE: SIZE,
  MAX_RECIPIENTS: COUNT,
  MIN_FREE: pick("5%", "100M", "5%, 100M", "none", "101%", "0%", "5%,5%", "%", "", "1T"),
  RETRY_DELAYS: list(TIME),
  QUEUE_LIFETIME: TIME,
  NAME_SERVER: (random) => `${grammar.ip(random)}${random.pick(["", ":53", ":0"])}`,
  TLS_CERT: PATH,
  TLS_KEY: PATH,
  SUBMISSION_PORT: PORT,
  SUBMISSIONS_PORT: PORT,
  RELAY_TLS: pick("may", "verify", "none", "VERIFY", "yes"),
  RELAY_TLS_FOR: list((random) =>
    `${grammar.domain(random)}:${random.pick(["may", "verify", "none", "x"])}`
  ),
  RELAY_LOGIN_FILE: PATH,
  LOG_LEVEL: pick("debug", "info", "INFO", "warning"),
  LOG_FORMAT: pick("text", "json", "xml"),
  WORKERS: COUNT,
};

const NAMES = Object.keys(VALUES);

const SYSTEM: SystemFacts = {
  hostName: () => "me.example",
  addresses: () => ["127.0.0.1", "::1", "192.0.2.1"],
  stateDirectory: () => undefined,
};

/** Values that are right whatever else is said. */
const GOOD = [
  "HOSTNAME = me.example",
  "LISTEN_PORT = 2525",
  "RELAY_TLS = verify",
  "WORKERS = 2",
  "# x",
  "",
]
  .concat([
    "RELAY_FROM = none",
    "LISTEN_ADDR = ::, 192.0.2.1",
    "RETRY_DELAYS = 1m,2m",
    "MIN_FREE = none",
  ])
  .concat([
    "RELAY_HOST = [192.0.2.9]:587",
    "RELAY_TLS_FOR = x.y:none",
    "LOCAL_DOMAINS = a.b, [192.0.2.1]",
  ]);

export const mailConf: Target = {
  name: "mail-conf",
  runs: 2500,
  words: [...NAMES, " = ", "=", "\n", ",", "#", "none", "\r\n", utf8("\ufeff"), utf8("＝")],
  reaches: { read: 0.14, problem: 0.3, several: 0.12, set: 0.08 },
  generate(random) {
    const anything = () => {
      const name = random.pick(NAMES);
      return `${random.chance(0.05) ? name.toLowerCase() : name} = ${VALUES[name]!(random)}`;
    };
    const line = () => fileLine(random, random.chance(0.3) ? anything() : random.pick(GOOD));
    return octets(
      (random.chance(0.05) ? utf8("\ufeff") : "") + grammar.several(random, line, 0, 6),
    );
  },
  async run(_, input) {
    return await withFile(input, async (file) => {
      const outcome = await problemsOf(input, file, () => readMailConf(file, SYSTEM));
      if ("problems" in outcome) {
        const { problems } = outcome;
        const messages = problems.slice(0, 1).map(({ message }) => words(message));
        return ["problem", ...messages, ...problems.length > 1 ? ["several"] : []];
      }
      const { conf, lines } = outcome.value;
      checkConf(conf);
      for (const name of lines.keys()) {
        assert.ok(NAMES.includes(name), `${name} has no values here`);
      }
      assert.deepEqual(await readMailConf(file, SYSTEM), outcome.value);
      // It goes to the threads as a message.
      assert.deepEqual(structuredClone(conf), conf);
      return ["read", ...lines.size > 0 ? ["set"] : []];
    });
  },
};

function checkConf(conf: MailConf): void {
  assert.equal(parseDomain(conf.HOSTNAME), conf.HOSTNAME);
  for (const domain of conf.LOCAL_DOMAINS) assert.equal(parseDomain(domain), domain);
  assert.ok(conf.LISTEN_ADDR.length > 0);
  for (const address of conf.LISTEN_ADDR) assert.equal(canonicalIp(address), address);
  for (
    const port of [conf.LISTEN_PORT, conf.RELAY_PORT, conf.SUBMISSION_PORT, conf.SUBMISSIONS_PORT]
  ) {
    assert.ok(port === undefined || port >= 0 && port <= 65535);
  }
  assert.ok(conf.RETRY_DELAYS.length > 0);
  for (const delay of conf.RETRY_DELAYS) assert.ok(delay >= 1);
  assert.ok(conf.MAX_MESSAGE_SIZE >= 65_536 && Number.isSafeInteger(conf.MAX_MESSAGE_SIZE));
  assert.ok(conf.MAX_RECIPIENTS >= 100 && conf.WORKERS >= 1 && conf.WORKERS <= conf.MAX_CLIENTS);
  const { RELAY_HOST: relayHost, NAME_SERVER: nameServer } = conf;
  if (relayHost) {
    assert.ok(parseDomain(relayHost.host) ?? canonicalIp(relayHost.host), relayHost.host);
  }
  if (nameServer) assert.equal(canonicalIp(nameServer.host), nameServer.host);
  for (const { domain, tls } of conf.RELAY_TLS_FOR) {
    assert.deepEqual(relayTlsFor(conf, domain.toUpperCase()), { tls, named: true });
  }
  for (const path of [conf.SPOOL_DIR, conf.TLS_CERT]) {
    assert.doesNotMatch(path ?? "", /\p{Cc}/u);
  }
}
