/** Time as the parts that wait for it see it. They take it as an argument, so a test holds it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `act` once, `milliseconds` from now. Returns what calls that off. */
  after(milliseconds: number, act: () => void): () => void;
}

/** The system's own time. */
export const systemClock: Clock = {
  now: Date.now,
  after(milliseconds, act) {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Time that never jumps: milliseconds since some moment or other. */
export const steadyClock: Clock = { ...systemClock, now: () => performance.now() };

/**
 * Whether it is less than so many milliseconds since a time that was noted: a clock that was set back
 * must not make anything last for longer.
 */
export function isRecent(milliseconds: number, since: number, now: number): boolean {
  return Math.abs(now - since) < milliseconds;
}
