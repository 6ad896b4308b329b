/** What is sent to each peer, and how much faster than Postfix we want to be at it. */

export interface Load {
  readonly letter: string;
  readonly title: string;
  /** Where the mail ends: in a mailbox, at the next hop, or there after it has waited in the queue. */
  readonly kind: "mailbox" | "relay" | "drain";
  readonly sessions: number;
  /** In each round. */
  readonly messages: number;
  readonly octets: number;
  readonly recipients: number;
  readonly reused: boolean;
  readonly target: Target;
}

/** What our figures are judged by. */
export interface Target {
  /** Times Postfix's rate, where that is measured: accepted, and where the mail ends. */
  readonly ratio: number;
  /** Octets of memory at most. */
  readonly memory: number;
}

const MEGA = 1e6;

/** 20 sessions and mail of 4 KB, a connection for each message. */
const ORDINARY = {
  kind: "mailbox",
  sessions: 20,
  messages: 6000,
  octets: 4096,
  recipients: 1,
  reused: false,
  target: { ratio: 3, memory: 150 * MEGA },
} as const satisfies Partial<Load>;

export const LOADS: readonly Load[] = [
  { ...ORDINARY, letter: "a", title: "20 sessions, 4 KB, a connection for each message" },
  {
    ...ORDINARY,
    letter: "b",
    title: "20 sessions, 4 KB, connections reused",
    reused: true,
  },
  {
    ...ORDINARY,
    letter: "c",
    title: "one session, 4 KB, a connection for each message",
    sessions: 1,
    messages: 2000,
    target: { ...ORDINARY.target, ratio: 2 },
  },
  {
    ...ORDINARY,
    letter: "d",
    title: "200 sessions, 4 KB, a connection for each message",
    sessions: 200,
    messages: 3000,
    target: { ratio: 3, memory: 250 * MEGA },
  },
  {
    ...ORDINARY,
    letter: "e",
    title: "20 sessions, 1 MB",
    messages: 300,
    octets: MEGA,
    target: { ...ORDINARY.target, ratio: 1 },
  },
  {
    ...ORDINARY,
    letter: "f",
    title: "20 sessions, 4 KB, 10 recipients each",
    messages: 1200,
    recipients: 10,
  },
  {
    ...ORDINARY,
    letter: "g",
    title: "relayed: 20 sessions in, 4 KB, smtp-sink as next hop",
    kind: "relay",
    messages: 3000,
    target: { ...ORDINARY.target, ratio: 1.5 },
  },
  {
    ...ORDINARY,
    letter: "h",
    title: "what waits in the queue, 4 KB each, drained to smtp-sink",
    kind: "drain",
    messages: 10_000,
    target: { ...ORDINARY.target, ratio: 1.5 },
  },
];

/** Octets of mail that so many rounds leave behind, where every recipient has a copy of its own. */
export function octetsLeft({ messages, octets, recipients }: Load, rounds: number): number {
  return messages * (octets + HEADER) * recipients * rounds;
}

/** Octets of a message besides its text, and of what a file wastes. */
const HEADER = 4096;
