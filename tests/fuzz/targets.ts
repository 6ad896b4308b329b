/** Everything that is attacked, in the order of the house. */

import { address, ip } from "./address.ts";
import { command, line } from "./command.ts";
import { data } from "./data.ts";
import { client } from "./client.ts";
import { dnsMessage, resolver } from "./dns.ts";
import { envelope } from "./envelope.ts";
import { fileNames, ids } from "./ids.ts";
import { mailConf } from "./mail_conf.ts";
import { printable } from "./printable.ts";
import { reply } from "./reply.ts";
import { report } from "./report.ts";
import { sasl } from "./sasl.ts";
import { author, submitted } from "./submitted.ts";
import { stsMemory, stsPolicy, stsRecord } from "./sts.ts";
import { SESSIONS } from "./session.ts";
import { trace } from "./trace.ts";
import { passwordHash, relayLogin, userConf } from "./user_conf.ts";
import type { Target } from "./target.ts";

export const TARGETS: readonly Target[] = [
  address,
  ip,
  command,
  line,
  ...SESSIONS,
  data,
  submitted,
  author,
  sasl,
  trace,
  reply,
  client,
  mailConf,
  userConf,
  passwordHash,
  relayLogin,
  envelope,
  report,
  ids,
  fileNames,
  dnsMessage,
  resolver,
  stsRecord,
  stsPolicy,
  stsMemory,
  printable,
];
