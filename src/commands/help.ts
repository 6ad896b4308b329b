/** What the program says of itself. */

import deno from "../../deno.json" with { type: "json" };

export const VERSION: string = deno.version;

export const USAGE = `denosmtpd ${VERSION} - a small, complete mail server

Usage:
  denosmtpd MAIL_CONF USER_CONF          receive mail and send it on until SIGTERM or SIGINT;
                                         SIGHUP reads both files anew
  denosmtpd check MAIL_CONF USER_CONF [--json] [--connect]
                                         say what is wrong with a configuration, its disks, its
                                         DNS records, its certificate, and what would mend it
  denosmtpd queue list MAIL_CONF [--json]
                                         what waits to be sent
  denosmtpd queue show MAIL_CONF ID...   all about messages that wait
  denosmtpd queue retry MAIL_CONF ID...|--all
                                         try messages now
  denosmtpd queue remove MAIL_CONF ID... drop messages; nobody is told
  denosmtpd send --to ADDRESS [--to ADDRESS] [--from ADDRESS] [--server HOST:PORT] [-v]
                                         send the message on standard input
  denosmtpd passwd                       ask for a password and print its hash for user.conf; without
                                         a terminal, of the first line of standard input
  denosmtpd --help                       this text
  denosmtpd --version, --license         the version; the terms it comes under

check:
  --json                one JSON document instead of lines
  --connect             try the domain's own mail servers (or RELAY_HOST) too

send:
  --to ADDRESS          a recipient; may be given several times
  --from ADDRESS        the sender, "<>" for none (default: your user name at this host)
  --server HOST:PORT    where to send it (default: 127.0.0.1:25)
  -v, --verbose         show the conversation

Exit status: 0 good, 1 failed, 2 used or configured wrongly.`;
