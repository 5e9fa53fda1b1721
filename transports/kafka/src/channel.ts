import type { Cluster } from "./cluster.ts";
import type { Cursor } from "./cursor.ts";
import { nameOfError, unavailable } from "./errors.ts";
import { fetchRequest, type FetchAnswer, type FetchedPart, type FetchPart } from "./fetch.ts";

/** What a broker says of one partition, and the offset that it was asked for. */
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

/** What was asked for, so that an answer finds its cursor. */
class Questions {
  readonly #parts = new Map<Cursor, FetchPart>();
  /** By the topic's id without hyphens, then by partition. */
  readonly #cursors = new Map<string, (Cursor | undefined)[]>();

  get size(): number {
    return this.#parts.size;
  }

  has(cursor: Cursor): boolean {
    return this.#parts.has(cursor);
  }

  /** False: it is there already, just so. */
  add(cursor: Cursor, part: FetchPart): boolean {
    const before = this.#parts.get(cursor);
    if (before === part) return false;
    this.#parts.set(cursor, part);
    const id = part.topicId.replaceAll("-", "");
    const cursors = this.#cursors.get(id) ?? [];
    cursors[part.partition] = cursor;
    this.#cursors.set(id, cursors);
    return true;
  }

  /** Removes all but these, and returns them. */
  keep(cursors: readonly Cursor[]): FetchPart[] {
    if (cursors.length === this.#parts.size) return [];
    const kept = new Set(cursors);
    const forgotten: FetchPart[] = [];
    for (const [cursor, part] of this.#parts) {
      if (kept.has(cursor)) continue;
      forgotten.push(part);
      this.#parts.delete(cursor);
      this.#cursors.get(part.topicId.replaceAll("-", ""))![part.partition] = undefined;
    }
    return forgotten;
  }

  clear(): void {
    this.#parts.clear();
    this.#cursors.clear();
  }

  answersIn({ parts }: FetchAnswer): Answer[] {
    const answers: Answer[] = [];
    for (const part of parts) {
      const cursor = this.#cursors.get(part.topicId)?.[part.partition];
      if (cursor !== undefined) answers.push({ cursor, part, askedOffset: this.#parts.get(cursor)!.offset });
    }
    return answers;
  }
}

/**
 * One reader's fetches from one broker, one after the other, on a connection of their own: a fetch that waits holds up
 * nothing else. The broker keeps in a session what was asked for, so that a fetch says only what is new, and its answer
 * names only partitions that have something new.
 */
export class Channel {
  readonly #cluster: Cluster;
  readonly #node: number;
  readonly #purpose: `poll-${number}`;
  readonly #held = new Questions();
  #sessionId = 0;
  #sessionEpoch = 0;
  #busy = false;

  constructor(cluster: Cluster, node: number, reader: number) {
    this.#cluster = cluster;
    this.#node = node;
    this.#purpose = `poll-${reader}`;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Whether the fetch that is under way tells when this partition has something new. */
  covers(cursor: Cursor): boolean {
    return this.#busy && this.#held.has(cursor);
  }

  /** Fetches from these partitions. */
  async fetch(cursors: readonly Cursor[], waitMs: number, bytes: number): Promise<Answer[]> {
    this.#busy = true;
    try {
      const line = this.#cluster.line(this.#node, this.#purpose);
      const request = this.#request(cursors, waitMs, bytes);
      const answer = await line.call<FetchAnswer>(request, waitMs + graceMs);
      if (answer.errorCode !== 0) return this.#refused(answer.errorCode);
      this.#sessionId = answer.sessionId;
      // Without an id the broker has no room for a session, and is told everything each time.
      this.#sessionEpoch = answer.sessionId === 0 ? 0 : this.#sessionEpoch + 1;
      return this.#held.answersIn(answer);
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  #request(cursors: readonly Cursor[], waitMs: number, bytes: number): ReturnType<typeof fetchRequest> {
    if (this.#sessionEpoch === 0) this.#held.clear();
    const parts: FetchPart[] = [];
    for (const cursor of cursors) {
      const part = cursor.part();
      if (this.#held.add(cursor, part)) parts.push(part);
    }
    const forgotten = this.#held.keep(cursors);
    const session = { id: this.#sessionId, epoch: this.#sessionEpoch, forgotten };
    return fetchRequest({ waitMs, bytes, parts, session });
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
    this.#held.clear();
  }
}

/** One fetch that waits for nothing and leaves nothing behind, on the connection that readers share. */
export async function fetchNow(
  cluster: Cluster,
  node: number,
  cursors: readonly Cursor[],
  bytes: number,
): Promise<Answer[]> {
  const questions = new Questions();
  const parts = cursors.map((cursor) => cursor.part());
  for (const [at, cursor] of cursors.entries()) questions.add(cursor, parts[at]!);
  const request = fetchRequest({ waitMs: 0, bytes, parts });
  const answer = await cluster.line(node, "read").call<FetchAnswer>(request, cluster.requestMs);
  if (answer.errorCode !== 0) throw unavailable(`Kafka says ${nameOfError(answer.errorCode)} of a fetch.`, { node });
  return questions.answersIn(answer);
}
