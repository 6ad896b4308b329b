/** What a report says, as far as the simulation must know. */

export interface ReadReport {
  /** Of the message it is about. */
  readonly id: string;
  readonly action: string;
  /** `Final-Recipient`, each with its `Status`. */
  readonly recipients: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Reads a report; undefined where the text is none. Its lines end in CR LF or LF. */
export function readReport(text: string): ReadReport | undefined {
  const [, id] = /^X-denoSMTPD-Queue-ID: (\S+)\r?$/m.exec(text) ?? [];
  if (id === undefined) return undefined;
  const [, action = ""] = /^Action: (\S+)\r?$/m.exec(text) ?? [];
  const fields = text.matchAll(
    /^Final-Recipient: rfc822; (\S+)\r?\nAction: \S+\r?\nStatus: (\S+)\r?$/gm,
  );
  return {
    id,
    action,
    recipients: new Map([...fields].map(([, who = "", status = ""]) => [who, status])),
    text,
  };
}
