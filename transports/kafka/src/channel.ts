import type { Cluster } from "./cluster.ts";
import type { Cursor } from "./cursor.ts";
import { nameOfError, unavailable } from "./errors.ts";
import { fetchRequest, type FetchAnswer, type FetchedPart, type FetchPart } from "./fetch.ts";

/** What was asked for of one partition. */
interface Asked {
  readonly cursor: Cursor;
  readonly part: FetchPart;
}

export interface Answer {
  readonly cursor: Cursor;
  readonly part: FetchedPart;
  readonly askedOffset: number;
}

/** How much longer than it waits a fetch may take. */
const graceMs = 3_000;

const sessionErrors = new Set([
  "FETCH_SESSION_ID_NOT_FOUND",
  "INVALID_FETCH_SESSION_EPOCH",
  "FETCH_SESSION_TOPIC_ID_ERROR",
]);

/**
 * One reader's fetches from one broker, one after the other, on a connection of their own: a fetch that waits holds up
 * nothing else. The broker keeps in a session what was asked for, so that a fetch says only what is new, and its answer
 * names only partitions that have something new.
 */
export class Channel {
  readonly #cluster: Cluster;
  readonly #node: number;
  readonly #purpose: `poll-${number}`;
  #sessionId = 0;
  #sessionEpoch = 0;
  /** What the session holds. */
  #held = new Map<Cursor, FetchPart>();
  /** What the fetch that is under way covers; undefined: none is. */
  #covers: ReadonlySet<Cursor> | undefined;

  constructor(cluster: Cluster, node: number, reader: number) {
    this.#cluster = cluster;
    this.#node = node;
    this.#purpose = `poll-${reader}`;
  }

  get busy(): boolean {
    return this.#covers !== undefined;
  }

  /** Whether the fetch that is under way tells when this partition has something new. */
  covers(cursor: Cursor): boolean {
    return this.#covers?.has(cursor) === true;
  }

  /** Fetches from these partitions, and from no others that it has fetched from before. */
  async fetch(cursors: readonly Cursor[], waitMs: number, bytes: number): Promise<Answer[]> {
    this.#covers = new Set(cursors);
    try {
      const line = this.#cluster.line(this.#node, this.#purpose);
      const request = this.#request(cursors, waitMs, bytes);
      const answer = await line.call<FetchAnswer>(request, waitMs + graceMs);
      if (answer.errorCode !== 0) return this.#refused(answer.errorCode);
      this.#sessionId = answer.sessionId;
      // Without an id the broker has no room for a session, and is told everything each time.
      this.#sessionEpoch = answer.sessionId === 0 ? 0 : this.#sessionEpoch + 1;
      return this.#answers(answer);
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#covers = undefined;
    }
  }

  #request(cursors: readonly Cursor[], waitMs: number, bytes: number): ReturnType<typeof fetchRequest> {
    const isNew = this.#sessionEpoch === 0;
    const held = isNew ? new Map<Cursor, FetchPart>() : this.#held;
    const now = new Map(cursors.map((cursor) => [cursor, cursor.part()]));
    const parts = [...now].filter(([cursor, part]) => !isSame(held.get(cursor), part)).map(([, part]) => part);
    const forgotten = [...held].filter(([cursor]) => !now.has(cursor)).map(([, part]) => part);
    this.#held = now;
    return fetchRequest({
      waitMs,
      bytes,
      parts,
      session: { id: this.#sessionId, epoch: this.#sessionEpoch, forgotten },
    });
  }

  #answers(answer: FetchAnswer): Answer[] {
    const asked = new Map<string, Asked>();
    for (const [cursor, part] of this.#held) {
      asked.set(`${part.topicId.replaceAll("-", "")}/${part.partition}`, { cursor, part });
    }
    return answer.parts.flatMap((part) => {
      const of = asked.get(`${part.topicId}/${part.partition}`);
      return of === undefined ? [] : [{ cursor: of.cursor, part, askedOffset: of.part.offset }];
    });
  }

  /** A session that the broker has dropped is begun anew. */
  #refused(errorCode: number): Answer[] {
    this.#forget();
    const error = nameOfError(errorCode);
    if (sessionErrors.has(error)) return [];
    throw unavailable(`Kafka says ${error} of a fetch.`, { node: this.#node, error });
  }

  #forget(): void {
    this.#sessionId = 0;
    this.#sessionEpoch = 0;
    this.#held = new Map();
  }
}

function isSame(one: FetchPart | undefined, other: FetchPart): boolean {
  return (
    one !== undefined &&
    one.topicId === other.topicId &&
    one.offset === other.offset &&
    one.leaderEpoch === other.leaderEpoch &&
    one.readEpoch === other.readEpoch
  );
}

/** One fetch that waits for nothing and leaves nothing behind, on the connection that readers share. */
export async function fetchNow(
  cluster: Cluster,
  node: number,
  cursors: readonly Cursor[],
  bytes: number,
): Promise<Answer[]> {
  const asked = new Map<string, Asked>();
  for (const cursor of cursors) {
    const part = cursor.part();
    asked.set(`${part.topicId.replaceAll("-", "")}/${part.partition}`, { cursor, part });
  }
  const parts = [...asked.values()].map(({ part }) => part);
  const answer = await cluster
    .line(node, "read")
    .call<FetchAnswer>(fetchRequest({ waitMs: 0, bytes, parts }), cluster.requestMs);
  if (answer.errorCode !== 0) throw unavailable(`Kafka says ${nameOfError(answer.errorCode)} of a fetch.`, { node });
  return answer.parts.flatMap((part) => {
    const of = asked.get(`${part.topicId}/${part.partition}`);
    return of === undefined ? [] : [{ cursor: of.cursor, part, askedOffset: of.part.offset }];
  });
}
