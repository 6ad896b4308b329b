/** The sending core as a connection drives it, held to what it may say and when. */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { type ClientEvent, type ClientOptions, ClientSession } from "../../src/smtp/client.ts";
import { withoutSecrets } from "../../src/smtp/client_login.ts";
import { parseCommand } from "../../src/smtp/command.ts";
import type { Envelope } from "../../src/smtp/envelope.ts";
import { type Reply, replyText } from "../../src/smtp/reply.ts";
import { ReplyError } from "../../src/smtp/reply_reader.ts";
import { characters } from "./octets.ts";

function same(read: Mailbox | null, meant: Mailbox | null | undefined): boolean {
  return read?.localPart === meant?.localPart && read?.domain === meant?.domain;
}

/** A line as it may be on the wire. */
const LINE =
  /^(?:(?:EHLO|HELO) [!-~]+|MAIL FROM:<[ -~]*>(?: SIZE=\d+)?(?: BODY=8BITMIME)?|RCPT TO:<[ -~]+>|DATA|RSET|QUIT|STARTTLS|AUTH PLAIN [A-Za-z0-9+\/]+=*)$/;

/** One connection, one transaction after another. */
export class Sender {
  readonly session: ClientSession;
  readonly reached = new Set<string>();
  readonly told: string[] = [];
  /** Lines that are not answered yet; `(text)` stands for the text. */
  readonly unanswered: string[] = [""];
  readonly #options: ClientOptions;
  readonly #envelopes: Envelope[];
  #envelope: Envelope | undefined;
  /** All that the server has said, and what it was last asked. */
  #heard = "";
  #asked = "";

  constructor(options: ClientOptions, envelopes: readonly Envelope[]) {
    this.#options = options;
    this.#envelopes = [...envelopes];
    this.session = new ClientSession(options);
  }

  /** Spoils `piece`, as the next read does. Returns whether the client still listens. */
  feed(piece: Uint8Array): boolean {
    this.#heard += characters(piece);
    try {
      this.session.feed(piece);
      for (let event = this.session.next(); event; event = this.session.next()) this.#act(event);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#checkWords(error.message);
      this.#checkSecrecy(error.message);
      this.told.push(`error ${error.message}`);
      this.reached.add("no reply");
      this.abandon();
      return false;
    }
    piece.fill(88);
    this.#write();
    return !this.session.over;
  }

  /** The connection broke: everybody of the transaction has a fate, or none yet. */
  abandon(): void {
    const { results, remaining, undecided } = this.session.abandon();
    const all = [...results.map(({ forwardPath }) => forwardPath), ...remaining, ...undecided];
    const wanted = this.#envelope?.forwardPaths ?? [];
    assert.deepEqual(new Set(all), new Set(wanted));
    assert.equal(all.length, wanted.length);
    this.told.push(`abandoned ${results.length} ${remaining.length} ${undecided.length}`);
  }

  #write(): void {
    const output = this.session.takeOutput();
    if (output === "") return;
    assert.ok(output.endsWith("\r\n"));
    assert.ok(output.length <= 100 * 300 + 600, "what is said at once is bounded");
    for (const line of output.slice(0, -2).split("\r\n")) {
      assert.match(line, LINE);
      this.#checkPath(line);
      assert.ok(line.length + 2 <= 555, "RFC 5321 4.5.3.1.4, RFC 1870 3, RFC 6152 2");
      this.unanswered.push(line);
      this.#asked = line;
      this.told.push(withoutSecrets(line));
      this.reached.add(line.split(" ")[0]!);
    }
  }

  /** A path in a command is read there as one of the envelope's, and nothing stands behind it. */
  #checkPath(line: string): void {
    const parsed = parseCommand(line, { startTls: true, auth: true });
    assert.ok(!("code" in parsed), line);
    const { reversePath, forwardPaths = [] } = this.#envelope ?? {};
    if (parsed.verb === "MAIL") assert.ok(same(parsed.reversePath, reversePath), line);
    if (parsed.verb !== "RCPT") return;
    assert.ok(forwardPaths.some((path) => same(parsed.forwardPath, path)), line);
  }

  #act(event: ClientEvent): void {
    const { session } = this;
    this.told.push(event.kind);
    this.reached.add(event.kind);
    switch (event.kind) {
      case "text":
        assert.match(this.#heard, /^354/m, "no text before 354");
        session.textSent();
        this.unanswered.push("(text)");
        return;
      case "starttls":
        session.secured();
        return;
      case "results": {
        const { results, remaining } = event;
        const all = [...results.map(({ forwardPath }) => forwardPath), ...remaining];
        assert.equal(all.length, this.#envelope?.forwardPaths.length, "each has one fate");
        assert.deepEqual(new Set(all), new Set(this.#envelope?.forwardPaths));
        for (const { reply, heard } of results) {
          this.#checkReply(reply);
          this.told.push(`${heard} ${replyText(reply)}`);
          if (reply.code < 300) {
            assert.ok(heard && /^354/m.test(this.#heard));
            this.reached.add("delivered");
          }
        }
        this.#envelope = undefined;
        break;
      }
      case "refused":
      case "login refused":
      case "unsuitable":
        this.#checkReply(event.reply);
        this.#checkSecrecy(replyText(event.reply));
        this.told.push(replyText(event.reply));
    }
    if (session.over) return;
    const next = session.usable ? this.#envelopes.shift() : undefined;
    if (next) {
      this.#envelope = next;
      session.begin(next);
    } else if (session.step === "idle") session.quit();
  }

  #checkReply(reply: Reply): void {
    assert.ok(reply.code >= 200 && reply.code < 600);
    this.#checkWords(replyText(reply));
  }

  /** They can be shown. */
  #checkWords(words: string): void {
    assert.match(words, /^[ -~]*$/);
  }

  /** What answers a login does not tell the password. */
  #checkSecrecy(words: string): void {
    const { login } = this.#options;
    if (!login || !this.#asked.startsWith("AUTH")) return;
    const [response = ""] = this.#asked.split(" ").slice(-1);
    assert.ok(!words.includes(response.slice(0, 8)));
    if (/^[!-~]+$/.test(login.password)) assert.ok(!words.includes(login.password), words);
  }
}
