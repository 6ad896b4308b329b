/** What the disk of a process under test is told to do, and what it tells. */

/** One operation of one thread. */
export interface Operation {
  /** `main`, or the name and number of a thread, such as `receiver 1`. */
  readonly thread: string;
  /** Where in src/ it was called, such as `src/queue/spool.ts:79`. */
  readonly place: string;
  /** An operation of Disk, or `file.` and one of a file. */
  readonly kind: string;
  /** What it was called with; whatever differs between two runs is replaced by a word. */
  readonly paths: string;
  /** How many times the same thread has done the same before. */
  readonly before: number;
}

export type Side = "before" | "after";

/** Operations that fail. */
export interface Fault {
  /** A thread's name without its number. */
  readonly thread: string;
  readonly kind: string;
  /** The beginning of its paths. */
  readonly paths: string;
  /** How many of them fail, the first ones; all if not given. */
  readonly times?: number;
  /** The system's name of the error; if not given, that of a disk that is full. */
  readonly code?: string;
}

export interface Orders {
  /** Paths are told from here on. */
  readonly folder: string;
  /** Whether each operation is told on standard error. */
  readonly tell?: boolean;
  /** Where to stop. */
  readonly stop?: { readonly operation: Operation; readonly side: Side };
  readonly faults?: readonly Fault[];
}

/** What stands before an operation that is told. */
export const TOLD = "disk operation ";
/** What is said by a thread that has stopped. */
export const STOPPED = "disk stopped";
