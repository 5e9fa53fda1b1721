import { codeOf, type WaybillError } from "../errors.ts";
import type { Position, StoredMessage } from "../message.ts";
import type { Transport } from "../transport.ts";
import type { World } from "../world.ts";

/** What is missing, as the error of a gap says. */
export interface Gap {
  readonly topic: string;
  readonly partition: number;
  readonly source: string;
  /** The last `n` of the source that was taken, and the last one missing. */
  readonly after: number;
  readonly upTo: number;
}

export function gapIn(error: WaybillError): Gap | undefined {
  return error.code === "GAP" ? (error.details as unknown as Gap) : undefined;
}

const page = { messages: 500, bytes: 4_194_304, waitMs: 10_000 };
const retryAfterMs = 500;

/**
 * Looks behind a gap for what is missing: a sender whose broker has lost messages says them again, and they then lie
 * behind a later one. Resolves with the first of them that turn up, in the chain's order; undefined when it was stopped,
 * or the log is no longer the one of `from`.
 */
export async function seekMissing(
  gap: Gap,
  from: Position,
  transport: Transport,
  world: World,
  signal: AbortSignal,
): Promise<readonly StoredMessage[] | undefined> {
  await using reader = transport.reader([from]);
  while (!signal.aborted) {
    try {
      const { messages } = await reader.fetch(page, signal);
      const found = missingIn(messages, gap);
      if (found.length > 0) return found;
    } catch (error) {
      // Whatever else the log has come to, the lane's next look at its positions says it.
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") return undefined;
      await world.sleep(retryAfterMs, signal);
    }
  }
  return undefined;
}

function missingIn(messages: readonly StoredMessage[], { source, after, upTo }: Gap): StoredMessage[] {
  const found: StoredMessage[] = [];
  let mark = after;
  for (const message of messages) {
    const { stamp } = message;
    if (stamp?.source !== source || stamp.n <= mark || stamp.n > upTo || stamp.prev > mark) continue;
    found.push(message);
    mark = stamp.n;
  }
  return found;
}
