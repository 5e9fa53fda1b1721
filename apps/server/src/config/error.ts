import type { Issue } from "@waybill/messaging";

/** What is wrong with a configuration: each setting with the reason, and where it was set. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly issues: readonly Issue[];

  constructor(where: string, issues: readonly Issue[], cause?: unknown) {
    const lines = issues.map(({ field, reason }) => `  ${field === "" ? "" : `${field}: `}${reason}`);
    super([`${where}:`, ...lines].join("\n"), cause === undefined ? undefined : { cause });
    this.issues = issues;
  }
}
