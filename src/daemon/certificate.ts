/** The certificate of a configuration before a daemon serves: tried out rather than guessed. */

import type { Configuration } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { SettingError } from "../config/setting_error.ts";
import { readPair } from "../receiver/certificate_files.ts";
import { hasServerTls } from "../tls/support.ts";
import { settingProblem } from "./ports.ts";

/**
 * What would keep receivers from starting, in their own words. They alone read the key of a daemon,
 * so this is for others.
 */
export async function tryCertificate(configuration: Configuration): Promise<Problem[]> {
  const { TLS_CERT, TLS_KEY } = configuration.mail;
  if (TLS_CERT === undefined || TLS_KEY === undefined || !hasServerTls) return [];
  try {
    await readPair({ certificate: TLS_CERT, key: TLS_KEY });
    return [];
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    return [settingProblem(configuration, error)];
  }
}
