/** The login of one session: AUTH and the lines that follow it (RFC 4954 4). */

import type { Auth } from "./command.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";
import { type Credentials, SaslExchange, type SaslStep } from "./sasl.ts";

/** What to do next: say this and read on, refuse, or have the credentials judged. */
export type LoginStep =
  | { readonly kind: "ask"; readonly reply: Reply }
  | { readonly kind: "refuse"; readonly reply: Reply }
  | { readonly kind: "judge"; readonly credentials: Credentials };

/** Knows what a client's next word is part of, and whether it has logged in. */
export class Login {
  #exchange: SaslExchange | undefined;
  #done = false;

  /** Whether the next line is the client's answer to a challenge, and no command. */
  get asking(): boolean {
    return this.#exchange !== undefined;
  }

  /** Whether the client has shown who it is. */
  get done(): boolean {
    return this.#done;
  }

  begin({ mechanism, initialResponse }: Auth): LoginStep {
    if (this.#done) return { kind: "refuse", reply: replies.loggedInAlready };
    const exchange = new SaslExchange(mechanism);
    return this.#next(
      exchange,
      initialResponse === undefined ? exchange.begin() : exchange.answer(initialResponse),
    );
  }

  /** The client's answer, null for a line too long. `*` takes the login back. */
  answer(line: string | null): LoginStep {
    const exchange = this.#exchange!;
    this.#exchange = undefined;
    if (line === null) return { kind: "refuse", reply: replies.loginLineTooLong };
    if (line === "*") return { kind: "refuse", reply: replies.loginCancelled };
    return this.#next(exchange, exchange.answer(line));
  }

  /** The credentials are good. */
  accept(): void {
    this.#done = true;
  }

  #next(exchange: SaslExchange, step: SaslStep): LoginStep {
    switch (step.kind) {
      case "challenge":
        this.#exchange = exchange;
        return { kind: "ask", reply: replies.saslChallenge(step.challenge) };
      case "credentials":
        return { kind: "judge", credentials: step.credentials };
      case "malformed":
        return { kind: "refuse", reply: replies.badCredentials };
      case "denied":
        return { kind: "refuse", reply: replies.loginRefused };
    }
  }
}
