/**
 * Every reply the receiver can give, each once. Codes are those of RFC 5321 4.2.3 and 4.3.2,
 * enhanced codes those of RFC 3463 and the registry of RFC 5248. No text of the peer is ever echoed.
 */

/** What the server answers to one command or one text. */
export interface Reply {
  readonly code: number;
  /**
   * The enhanced status code, "" where RFC 2034 2 forbids one (greeting, answers to HELO and EHLO)
   * and for 3yz replies.
   */
  readonly status: string;
  /** One or more lines of printable ASCII, without code and without line end. */
  readonly lines: readonly string[];
}

function reply(code: number, status: string, ...lines: string[]): Reply {
  return { code, status, lines };
}

/** A reply accepts what it answers when it is 2yz or 3yz (RFC 5321 4.2.1). */
export function isPositive({ code }: Reply): boolean {
  return code < 400;
}

/** The reply as it goes over the wire, each line with its code, its status and CR LF. */
export function encodeReply({ code, status, lines }: Reply): string {
  const prefix = status === "" ? "" : `${status} `;
  let text = "";
  for (let i = 0; i < lines.length; i++) {
    text += `${code}${i < lines.length - 1 ? "-" : " "}${prefix}${lines[i]}\r\n`;
  }
  return text;
}

/** Characters of a reply that are worth keeping. */
const MOST_KEPT = 2000;
/** Stands where the rest of a line has been left out. */
const CUT = " [...]";

/** The reply, no more than its first part where it is long: nobody fills our disk and log by it. */
export function shortened({ code, status, lines }: Reply): Reply {
  const kept: string[] = [];
  let room = MOST_KEPT;
  for (const line of lines) {
    kept.push(line.length <= room ? line : line.slice(0, room) + CUT);
    // Code and status take their place too.
    room -= line.length + 10;
    if (room < 0) break;
  }
  return { code, status, lines: kept.length > 0 ? kept : [""] };
}

/** A reply in one line, for logs and reports. */
export function replyText({ code, status, lines }: Reply): string {
  return [String(code), status, lines.join(" ")].filter((part) => part !== "").join(" ");
}

// The channel.
export const greeting = (host: string) => reply(220, "", `${host} ESMTP denoSMTPD`);
export const hello = (host: string) => reply(250, "", host);
export const extendedHello = (host: string, keywords: readonly string[]) =>
  reply(250, "", host, ...keywords);
export const goodbye = (host: string) => reply(221, "2.0.0", `${host} closing the channel`);
export const shuttingDown = (host: string) =>
  reply(421, "4.3.2", `${host} is shutting down, try again later`);
export const timedOut = (host: string) =>
  reply(421, "4.4.2", `${host} has waited too long, closing the channel`);
export const tooManyErrors = (host: string) =>
  reply(421, "4.7.0", `${host} has seen too many errors, closing the channel`);
export const tooManyCommands = (host: string) =>
  reply(421, "4.7.0", `${host} has seen too many commands and no message, closing the channel`);
export const notHttp = (host: string) =>
  reply(421, "4.7.0", `${host} speaks SMTP and not HTTP, closing the channel`);
export const internalError = (host: string) =>
  reply(421, "4.3.0", `${host} has an internal error, closing the channel`);
/** These two stand in place of the greeting, so they carry no enhanced code (RFC 2034 2). */
export const tooManyClients = (host: string) =>
  reply(421, "", `${host} has too many connections, try again later`);
export const tooManyFromAddress = (host: string) =>
  reply(421, "", `${host} has too many connections from this address, try again later`);

export const readyForTls = reply(220, "2.0.0", "Ready for the TLS handshake");
export const tooManyLogins = (host: string) =>
  reply(421, "4.7.0", `${host} takes no more logins from there just now, try again later`);

// What a command gets.
export const ok = reply(250, "2.0.0", "OK");
/** `challenge` is base64 (RFC 4954 4). */
export const saslChallenge = (challenge: string) => reply(334, "", challenge);
export const loggedIn = reply(235, "2.7.0", "Logged in");
export const senderOk = reply(250, "2.1.0", "Sender OK");
export const recipientOk = reply(250, "2.1.5", "Recipient OK");
export const startText = reply(354, "", "Send the text, end it with a line that is one period");
export const cannotVerify = reply(
  252,
  "2.5.2",
  "Cannot verify here, but will take a message and try to deliver it",
);
export const help = (...lines: string[]) => reply(214, "2.0.0", ...lines);
export const noSuchHelp = reply(504, "5.5.4", "No help on that, HELP alone lists the commands");

// What is wrong with a command.
export const lineTooLong = reply(500, "5.5.2", "Line too long");
export const notAscii = reply(500, "5.5.2", "A command is ASCII only");
export const badCharacter = reply(
  501,
  "5.5.2",
  "No control characters in a command, end it by CR LF",
);
export const unknownCommand = reply(500, "5.5.1", "Command not recognized");
export const notImplemented = reply(502, "5.5.1", "Command not implemented");
export const noArgument = reply(501, "5.5.4", "This command takes no argument");
export const missingArgument = reply(501, "5.5.4", "This command needs an argument");
export const badHello = reply(
  501,
  "5.5.4",
  "The argument is a domain name or an [address literal]",
);
export const badMail = reply(501, "5.5.4", "The command is MAIL FROM:<reverse-path>");
export const badRcpt = reply(501, "5.5.4", "The command is RCPT TO:<forward-path>");
export const badReversePath = (why: string) => reply(501, "5.1.7", `Bad reverse-path, ${why}`);
export const badForwardPath = (why: string) => reply(501, "5.1.3", `Bad forward-path, ${why}`);
export const badParameter = (name: string) => reply(501, "5.5.4", `Bad ${name} parameter`);
export const unknownParameter = reply(555, "5.5.4", "Parameter not recognized or not implemented");
export const badAuth = reply(501, "5.5.4", "The command is AUTH mechanism [initial-response]");
export const unknownMechanism = reply(504, "5.5.4", "No such mechanism, PLAIN and LOGIN are known");
export const badCredentials = reply(501, "5.5.2", "That is not what the mechanism asks for");
export const loginCancelled = reply(501, "5.7.0", "Login cancelled");
export const loginLineTooLong = reply(500, "5.5.6", "Line too long for a login");

// What is wrong with the order (RFC 5321 4.1.4).
export const helloFirst = reply(503, "5.5.1", "Say EHLO or HELO first");
export const nestedMail = reply(503, "5.5.1", "A transaction is open, end it by DATA or RSET");
export const mailFirst = reply(503, "5.5.1", "Say MAIL first");
export const rcptFirst = reply(503, "5.5.1", "Say RCPT first");
export const extendedHelloFirst = reply(503, "5.5.1", "Say EHLO first");
export const securedAlready = reply(503, "5.5.1", "TLS is in use already");
export const loggedInAlready = reply(503, "5.5.1", "A login there was already");
export const loginInTransaction = reply(503, "5.5.1", "No login within a transaction");
/** Where mail is submitted alone (RFC 3207 4, RFC 6409 4.3). */
export const startTlsFirst = reply(530, "5.7.0", "Say STARTTLS first");
export const loginFirst = reply(530, "5.7.0", "Log in first");
export const noValidRecipients = reply(554, "5.5.1", "No valid recipients");

// What is refused for its content.
export const tooManyRecipients = reply(452, "4.5.3", "Too many recipients, send the rest apart");
export const unknownUser = reply(550, "5.1.1", "No such user here");
export const relayDenied = reply(550, "5.7.1", "Relaying denied");
export const loginRefused = reply(535, "5.7.8", "The name or the password is wrong");
export const tooBig = reply(552, "5.3.4", "Message too big");
export const bareLineEnd = reply(554, "5.6.0", "Lines end in CR LF, the text had a bare CR or LF");
export const hiddenEnd = reply(
  554,
  "5.6.0",
  "The text had a line of NULs and one period, which could be taken for its end",
);
export const headerTooLarge = reply(554, "5.6.0", "Header too large");
export const badHeader = (why: string) => reply(554, "5.6.0", `Bad header, ${why}`);
export const missingAuthor = reply(554, "5.6.0", "No From field, and no sender to make one of");
/** RFC 6409 6.3. `field` is the name of a field that tells who wrote or sent a message. */
export const notYourReversePath = reply(
  550,
  "5.7.1",
  "The reverse-path may be an address of your own only",
);
export const notYourAddress = (field: string) =>
  reply(550, "5.7.1", `The ${field} field may hold addresses of your own only`);
export const unreadableAuthor = (field: string, why: string) =>
  reply(550, "5.7.1", `The ${field} field cannot be read, ${why}`);
export const repeatedAuthor = (field: string) =>
  reply(550, "5.7.1", `There may be one ${field} field only`);
export const mailLoop = reply(554, "5.4.6", "Too many Received lines, this looks like a mail loop");

// What became of a text.
export const stored = (id: string) => reply(250, "2.0.0", `OK, stored as ${id}`);
export const storageTrouble = reply(
  451,
  "4.3.0",
  "Local trouble, nothing was stored, try again later",
);
export const mailboxAway = reply(451, "4.2.1", "The mailbox is away at present");
export const storageFull = reply(
  452,
  "4.3.1",
  "No space left, nothing was stored, try again later",
);
