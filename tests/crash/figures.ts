/** What a part of the crash tests comes to. */

export interface Outcome {
  readonly name: string;
  /** By what they count. */
  readonly figures: Readonly<Record<string, number>>;
  /** Whether everything is as it must be. */
  readonly good: boolean;
  /** What is not, for people. */
  readonly complaints: readonly string[];
}

/** A line for it and one for each figure and complaint. */
export function printOutcome({ name, figures, good, complaints }: Outcome): string {
  const lines = [`${name}: ${good ? "good" : "NOT GOOD"}`];
  for (const [figure, value] of Object.entries(figures)) {
    const digits = Number.isInteger(value) ? 0 : 1;
    lines.push(`  ${figure.padEnd(36)}${value.toFixed(digits).padStart(12)}`);
  }
  lines.push(...complaints.map((complaint) => `  ! ${complaint}`));
  return lines.map((line) => `${line}\n`).join("");
}
