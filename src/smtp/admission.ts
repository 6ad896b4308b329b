/** How far a client has come in: what it calls itself, what protects it, whether it has logged in. */

import type { Auth, Hello, Mail } from "./command.ts";
import type { Protocol } from "./event.ts";
import { type Extensions, keywords } from "./extensions.ts";
import { Login, type LoginStep } from "./login.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

export interface AdmissionFacts {
  /** Own name as replies show it: a domain name or an address literal. */
  readonly host: string;
  /** Octets a text may have. */
  readonly maxMessageSize: number;
  /** Whether TLS can be begun here, or has been; not at all unless said. */
  readonly tls?: "offered" | "in use";
  /** Whether users submit their messages here, under TLS and logged in, and nobody else (RFC 6409). */
  readonly submission?: boolean;
}

/** Knows which commands of the introduction are in their place, and answers them. */
export class Admission {
  readonly #facts: AdmissionFacts;
  readonly #login = new Login();
  #hello: Hello | undefined;

  constructor(facts: AdmissionFacts) {
    this.#facts = facts;
  }

  /** The extensions whose commands are known, if perhaps not in their place just now. */
  get extensions(): Extensions {
    const { tls, submission = false } = this.#facts;
    return { startTls: tls !== undefined, auth: submission };
  }

  /** What the client calls itself; only after a greeting. */
  get client(): string {
    return this.#hello!.domain;
  }

  /** RFC 3848. For HELO there is no name but the plain one, under TLS neither. */
  get protocol(): Protocol {
    if (this.#hello?.verb !== "EHLO") return "SMTP";
    if (!this.#secured) return "ESMTP";
    return this.#login.done ? "ESMTPSA" : "ESMTPS";
  }

  /** Whether the next line is part of a login, and no command. */
  get asking(): boolean {
    return this.#login.asking;
  }

  greet(hello: Hello): Reply {
    this.#hello = hello;
    const { host } = this.#facts;
    if (hello.verb === "HELO") return replies.hello(host);
    return replies.extendedHello(host, keywords({ ...this.#facts, loggedIn: this.#login.done }));
  }

  /** Why STARTTLS is out of place, undefined where it is not. */
  refuseStartTls(): Reply | undefined {
    if (this.#secured) return replies.securedAlready;
    return this.#hello?.verb === "EHLO" ? undefined : replies.extendedHelloFirst;
  }

  /** Why MAIL is not to be had yet, undefined where it is. */
  refuseMail({ extended }: Mail): Reply | undefined {
    if (!this.#hello) return replies.helloFirst;
    if (this.#barrier) return this.#barrier;
    return extended && this.#hello.verb === "HELO" ? replies.unknownParameter : undefined;
  }

  auth(auth: Auth): LoginStep {
    const reply = this.#secured
      ? this.#hello?.verb === "EHLO" ? undefined : replies.extendedHelloFirst
      : replies.startTlsFirst;
    return reply ? { kind: "refuse", reply } : this.#login.begin(auth);
  }

  /** The client's answer to a challenge, null for a line too long. */
  answer(line: string | null): LoginStep {
    return this.#login.answer(line);
  }

  /** Its credentials are good. */
  logIn(): void {
    this.#login.accept();
  }

  get #secured(): boolean {
    return this.#facts.tls === "in use";
  }

  /** Where messages are submitted, TLS and a login come first (RFC 3207 4, RFC 6409 4.3). */
  get #barrier(): Reply | undefined {
    if (!this.#facts.submission) return undefined;
    if (!this.#secured) return replies.startTlsFirst;
    return this.#login.done ? undefined : replies.loginFirst;
  }
}
