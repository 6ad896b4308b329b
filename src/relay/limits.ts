/** How much of the sending is done at once, and for how long before others have their turn. */

export interface CourierLimits {
  /** Destinations. */
  readonly destinations: number;
  /** Carriers, which are connections, to each of them. */
  readonly carriers: number;
  /** Carriers to one of them for which many messages wait. */
  readonly mostCarriers: number;
  /** So many that wait are worth another carrier each. */
  readonly crowd: number;
  /** Messages in memory, without their texts. */
  readonly messages: number;
  /** Messages that may wait for one destination; beyond that they wait on the disk alone. */
  readonly line: number;
  /** Milliseconds that a carrier with nothing to do keeps its connection. */
  readonly linger: number;
  /** Milliseconds with one message after which a destination is slow. */
  readonly patience: number;
  /** Slow destinations beside those that have places. */
  readonly slow: number;
  /** Messages a carrier brings before it gives up its place to destinations that wait for one. */
  readonly turn: number;
}

export const LIMITS: CourierLimits = {
  destinations: 20,
  carriers: 2,
  mostCarriers: 20,
  crowd: 10,
  messages: 2000,
  line: 200,
  linger: 1000,
  turn: 100,
  patience: 30_000,
  slow: 200,
};
