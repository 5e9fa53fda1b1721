export const kinds = ["nats", "kafka", "postgres"] as const;

/** What the tests and the examples need. */
export type Kind = (typeof kinds)[number];

export function isKind(name: string): name is Kind {
  return (kinds as readonly string[]).includes(name);
}

/** The variable of the environment that says where one is: WAYBILL_NATS_URL and so on. */
export function variableOf(kind: Kind): string {
  return `WAYBILL_${kind.toUpperCase()}_URL`;
}

/** What the environment says; empty counts as nothing. */
export function givenUrl(kind: Kind): string | undefined {
  return process.env[variableOf(kind)] || undefined;
}
