/** A mail server that is measured: what it is told, and what the bench asks of it. */

export interface Setup {
  /** An empty folder of its own, which whoever gave it removes. */
  readonly folder: string;
  /** The domain whose mail it keeps. */
  readonly domain: string;
  /** The local-parts there. */
  readonly mailboxes: readonly string[];
  /** Clients at once, all at one address. */
  readonly sessions: number;
  /** The port of this machine that mail for all other domains goes to, if it is to take any. */
  readonly nextHop?: number;
}

export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** The process that all its others come from. */
  readonly pid: number;
  /** The Maildir of a local-part; undefined where it keeps no mail. */
  mailbox(localPart: string): string | undefined;
  /** Makes it try at once what waits in its queue; rejects where it will not. */
  retry(): Promise<void>;
}

/** A program that can be measured. */
export interface Kind {
  readonly name: string;
  /** What is missing here, and how to get it; undefined where nothing is. */
  readonly missing: () => string | undefined;
  /** Of the program that is here. */
  readonly version: () => string;
  /** Whether it has processes that none of its own waits for: the time they take is not seen whole. */
  readonly unwaited?: true;
  /** Whether it can relay to a next hop, and drain its queue to it. */
  readonly relays: boolean;
  /** Starts it and waits until it listens. */
  readonly start: (setup: Setup) => Promise<Peer>;
}
