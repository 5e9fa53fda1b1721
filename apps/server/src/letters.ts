import { letterId, undelivered, type MailKind, type Undelivered } from "@waybill/notifications";
import type { Durable } from "./engine.ts";

/** A letter that did not go out, for people. */
export interface LetterView extends Omit<Undelivered, "atMs"> {
  /** When that was known. */
  readonly at: string;
}

/** A page of letters. */
export interface Letters {
  readonly letters: readonly LetterView[];
  /** What to read the next page after; undefined when there is none. */
  readonly after: string | undefined;
}

/** Letters that were refused for good or given up, in order of their orders' ids, after one of them. */
export async function lettersLost(durable: Durable, after: string, limit: number): Promise<Letters> {
  const rows = await durable.states("notifications", undelivered, after, limit + 1);
  const page = rows.slice(0, limit);
  return {
    letters: page.map(({ value }) => letterView(value)),
    after: rows.length > limit ? page.at(-1)?.id : undefined,
  };
}

/** A letter that did not go out; undefined when there is none of this kind, or it was dealt with. */
export async function letterLost(durable: Durable, orderId: string, kind: MailKind): Promise<LetterView | undefined> {
  const found = await durable.state("notifications", undelivered, letterId({ orderId, kind }));
  return found === undefined ? undefined : letterView(found);
}

function letterView({ atMs, ...letter }: Undelivered): LetterView {
  return { ...letter, at: new Date(atMs).toISOString() };
}
