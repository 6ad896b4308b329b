/**
 * How the sending side's session begins: greeting, EHLO, STARTTLS, AUTH, up to where a transaction
 * can begin (RFC 5321 3.1 and 3.2, RFC 3207, RFC 4954).
 */

import type { ClientEvent, Step } from "./client_event.ts";
import { authCommand, type ClientLogin, fitsCommand } from "./client_login.ts";
import type { Keywords } from "./envelope.ts";
import { type Reply, replyText } from "./reply.ts";

/** How to introduce oneself. */
export interface ClientOptions {
  /** Own name or address literal for EHLO. */
  readonly host: string;
  /** Whether to say STARTTLS where it is offered. */
  readonly wantsTls: boolean;
  /** Whether to go on under TLS alone. */
  readonly needsTls?: boolean;
  /** Whether the connection is under TLS from its first octet on (RFC 8314 3). */
  readonly implicitTls?: boolean;
  /** To log in by, which happens under TLS alone. */
  readonly login?: ClientLogin;
}

/** What follows a reply: the next command, or what there is to tell. */
export type Move = { readonly step: Step; readonly line: string } | ClientEvent;

/** The commands of an introduction, and what comes before them. */
type IntroductionStep = "greeting" | "EHLO" | "HELO" | "STARTTLS" | "AUTH";

const STEPS: ReadonlySet<Step> = new Set<IntroductionStep>([
  "greeting",
  "EHLO",
  "HELO",
  "STARTTLS",
  "AUTH",
]);

/** Whether a step is one of an introduction. */
export function isIntroduction(step: Step): step is IntroductionStep {
  return STEPS.has(step);
}

/** Knows what comes next in an introduction. Throws nothing but in its constructor. */
export class Introduction {
  readonly #options: ClientOptions;
  #keywords: Keywords = new Map();
  #secured: boolean;

  /** Throws RangeError where the own name is none, or the login too long for a command. */
  constructor(options: ClientOptions) {
    const { host, login, implicitTls = false } = options;
    if (!/^[!-~]+$/.test(host)) throw new RangeError(`no name for EHLO: ${host}`);
    if (login && !fitsCommand(login)) throw new RangeError("the login is too long for a command");
    this.#options = options;
    this.#secured = implicitTls;
  }

  /** What the latest EHLO offered. */
  get keywords(): Keywords {
    return this.#keywords;
  }

  /** After a positive reply. */
  goOn(step: IntroductionStep, reply: Reply): Move {
    switch (step) {
      case "greeting":
        return this.#hello();
      case "EHLO":
        this.#keywords = keywordsOf(reply);
        return this.#afterHello();
      case "STARTTLS":
        return { kind: "starttls" };
      case "HELO":
        return this.#afterHello();
      case "AUTH":
        return { kind: "ready" };
    }
  }

  /** After a negative one. */
  turnBack(step: IntroductionStep, reply: Reply): Move {
    switch (step) {
      case "EHLO":
        // A server that does not know EHLO is asked the old way (RFC 5321 3.2).
        if (reply.code >= 500) return { step: "HELO", line: `HELO ${this.#options.host}` };
        return { kind: "refused", reply };
      case "STARTTLS":
        if (this.#needsTls) return unsuitable(`The server refuses STARTTLS: ${replyText(reply)}`);
        return { kind: "ready" };
      case "AUTH":
        return { kind: reply.code >= 500 ? "login refused" : "refused", reply };
      default:
        return { kind: "refused", reply };
    }
  }

  /** The handshake is done. What the server said before it counts no more (RFC 3207 4.2). */
  secured(): Move {
    this.#secured = true;
    return this.#hello();
  }

  get #needsTls(): boolean {
    return this.#options.needsTls || this.#options.login !== undefined;
  }

  /** EHLO: whatever was offered before is void (RFC 5321 4.1.4, RFC 3207 4.2). */
  #hello(): Move {
    this.#keywords = new Map();
    return { step: "EHLO", line: `EHLO ${this.#options.host}` };
  }

  #afterHello(): Move {
    const { wantsTls, login } = this.#options;
    if (!this.#secured) {
      const needsTls = this.#needsTls;
      const offered = this.#keywords.has("STARTTLS");
      if (offered && (wantsTls || needsTls)) return { step: "STARTTLS", line: "STARTTLS" };
      if (needsTls) return unsuitable("The server does not offer STARTTLS");
    }
    if (!login) return { kind: "ready" };
    if (!offersPlain(this.#keywords)) return unsuitable("The server does not offer AUTH PLAIN");
    return { step: "AUTH", line: authCommand(login) };
  }
}

function offersPlain(keywords: Keywords): boolean {
  const mechanisms = keywords.get("AUTH") ?? "";
  return mechanisms.toUpperCase().split(" ").includes("PLAIN");
}

function keywordsOf({ lines }: Reply): Keywords {
  return new Map(
    lines.slice(1).map((line) => {
      const [keyword = "", ...parameters] = line.split(" ");
      return [keyword.toUpperCase(), parameters.join(" ")];
    }),
  );
}

/** The server lacks what this side must have; it may have it another day. */
function unsuitable(why: string): ClientEvent {
  return { kind: "unsuitable", reply: { code: 454, status: "4.7.4", lines: [why] } };
}
