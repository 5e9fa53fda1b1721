import { codeOf, WaybillError } from "../errors.ts";
import type { StoredMessage } from "../message.ts";
import { deepFreeze } from "../specification.ts";
import type { Rule, StateRef } from "../service.ts";
import type { LaneId, Store } from "../store.ts";
import { admit, refuseMisplaced, seenBefore, vetted } from "./admit.ts";
import { assertOwned, cacheKey, type Entry, type StateCache } from "./cache.ts";
import { Draft, NotYet, type DraftContext } from "./draft.ts";
import { messageInput, parkedRow, type Input } from "./input.ts";
import type { Gathered } from "./intake.ts";
import { parkingKey, type Parking } from "./parking.ts";
import { decode, ruleOf, type Routes } from "./routes.ts";
import type { Track } from "./track.ts";
import type { Work } from "./work.ts";

/** What the handling of a batch needs of its lane. */
export interface Bench {
  readonly id: LaneId;
  readonly store: Store;
  readonly routes: Routes;
  readonly cache: StateCache;
  readonly parking: Parking;
  readonly partitions: number;
  /** Freeze what handlers get and save, so that one which changes a state in place is found out. */
  readonly freeze: boolean;
  /** Inputs that are set aside unrun, once, by id, with the reason. */
  readonly suspects: Map<string, WaybillError>;
  /** Lets others have their turn. */
  turn(): Promise<void>;
  track(topic: string, partition: number): Track;
  /** Stops reading a topic, and says why. */
  block(topic: string, error: WaybillError): void;
}

/** An input that passed the door, with its rule and body, or with why it has none. */
interface Ready {
  readonly input: Input;
  readonly rule: Rule | undefined;
  readonly body: unknown;
  readonly error: unknown;
}

/** A batch may be long, and others wait: after so many inputs it is their turn. */
const inputsPerTurn = 64;

/**
 * Handles what a batch holds in order and gathers what it changes in `work`. An input that fails changes nothing but
 * the parking. Throws only what the whole lane must stop or step back for. Returns the lane's time after the batch.
 * @param heldMs what is unread keeps lane time from passing this.
 */
export async function run(
  bench: Bench,
  intake: Gathered,
  work: Work,
  laneTimeMs: number,
  heldMs: number,
): Promise<number> {
  const { inputs, messages } = intake;
  const ready: Ready[] = inputs.map((input) => prepare(bench, input));
  const read = messages.map((message) => (message.stamp === undefined ? vetted(message) : message));
  const repeats = await seenBefore(bench, read);
  let done = 0;
  for (const message of read) {
    if (++done % inputsPerTurn === 0) await bench.turn();
    if (admit(bench, message, work, repeats) && concerns(bench, message)) {
      ready.push(prepare(bench, messageInput(message)));
    }
  }
  await prefetch(bench, ready);
  const context: DraftContext = {
    service: bench.id.service,
    sends: bench.routes.sends,
    partitions: bench.partitions,
    publishAtMs: work.publishAtMs,
  };
  const at = { work, context, timeMs: laneTimeMs };
  for (const one of ready) {
    if (++done % inputsPerTurn === 0) await bench.turn();
    const { kind, atMs } = one.input;
    if (kind === "message") at.timeMs = Math.max(at.timeMs, Math.min(atMs, heldMs));
    const pending = handle(bench, one, at);
    if (pending !== undefined) await pending;
  }
  return at.timeMs;
}

/** False for a message that is only passed by: this service has no rule for its type, which the build knows. */
export function concerns(bench: Bench, message: StoredMessage): boolean {
  const topic = bench.routes.topics.get(message.topic);
  if (topic === undefined || topic.rules.has(message.type) || message.malformed !== undefined) return true;
  return !topic.known.has(message.type) || message.stamp === undefined;
}

function prepare(bench: Bench, input: Input): Ready {
  try {
    const suspect = bench.suspects.get(input.id);
    if (suspect !== undefined) {
      bench.suspects.delete(input.id);
      throw suspect;
    }
    if (input.malformed !== undefined) throw new WaybillError("MESSAGE_UNREADABLE", input.malformed);
    if (input.message !== undefined) refuseUnstamped(bench, input.message);
    const rule = ruleOf(bench.routes, input);
    const body = rule === undefined ? undefined : decode(rule, input);
    return { input, rule, body: bench.freeze ? deepFreeze(body) : body, error: undefined };
  } catch (error) {
    if (codeOf(error) === "LEVEL_TOO_LOW") throw error;
    return { input, rule: undefined, body: undefined, error };
  }
}

function refuseUnstamped(bench: Bench, message: StoredMessage): void {
  if (message.stamp !== undefined) return;
  const topic = bench.routes.topics.get(message.topic)?.topic;
  if (topic === undefined) return;
  if (topic.door) return refuseMisplaced(topic, message, bench.partitions);
  throw new WaybillError(
    "MESSAGE_UNSTAMPED",
    `${message.type} at ${message.topic}/${message.partition}/${message.offset} has no stamp; ` +
      `only a door takes messages from outside.`,
  );
}

type Step = (body: unknown, ...before: (readonly unknown[])[]) => readonly StateRef<unknown>[];

/** Loads, a step at a time, the states that the whole batch will touch. */
async function prefetch(bench: Bench, ready: readonly Ready[]): Promise<void> {
  for (let depth = 1; depth <= 3; depth++) {
    const missing = new Map<string, StateRef<unknown>>();
    let deeper = false;
    for (const { rule, body } of ready) {
      if (rule === undefined || rule.steps.length < depth) continue;
      deeper ||= rule.steps.length > depth;
      collect(bench, rule, body, depth, missing);
    }
    await load(bench, missing);
    if (!deeper) return;
  }
}

/** Adds to `missing` the states that a rule's step at this depth names and the cache does not hold. */
function collect(
  bench: Bench,
  rule: Rule,
  body: unknown,
  depth: number,
  missing: Map<string, StateRef<unknown>>,
): void {
  const steps = rule.steps as unknown as readonly Step[];
  try {
    const before: Entry[][] = [];
    for (const step of steps.slice(0, depth - 1)) {
      const held: Entry[] = [];
      for (const ref of step(body, ...before)) {
        const entry = bench.cache.get(ref);
        if (entry === undefined) return;
        held.push(entry);
      }
      before.push(held);
    }
    for (const ref of steps[depth - 1]!(body, ...before)) {
      if (bench.cache.get(ref) === undefined) missing.set(cacheKey(ref), ref);
    }
  } catch {
    // The step fails again when the input is handled, and there it counts.
  }
}

async function load(bench: Bench, missing: ReadonlyMap<string, StateRef<unknown>>): Promise<void> {
  if (missing.size === 0) return;
  const keys: { kind: string; id: string }[] = [];
  for (const { of, id } of missing.values()) keys.push({ kind: of.kind, id });
  bench.cache.fill(missing, await bench.store.load(bench.id.service, keys));
}

interface Moment {
  readonly work: Work;
  readonly context: DraftContext;
  /** Lane time. */
  timeMs: number;
}

/** Runs one input, or sets it aside. Returns a promise only when something must be loaded first. */
function handle(bench: Bench, ready: Ready, at: Moment): Promise<void> | undefined {
  const { input } = ready;
  const { work } = at;
  if (input.timer !== undefined && work.touched(input)) return undefined;
  // Parked in this very batch: the timer's row stays, for what is in front of it may clear it.
  if (input.timer !== undefined && bench.parking.get(input.subject) !== undefined) return undefined;
  if (input.parked !== undefined && work.isStuck(input.parked.key, input)) return undefined;
  work.consume(input);
  if (input.parked === undefined && bench.parking.size > 0) {
    const key = parkingKey(input);
    if (bench.parking.get(key) !== undefined) return queueBehind(bench, input, key, work);
  }
  const missing = attempt(bench, ready, at);
  return missing === undefined ? undefined : handleLate(bench, ready, at, missing);
}

/** States that only turned up while the batch ran are loaded, and the handler is called again. */
async function handleLate(bench: Bench, ready: Ready, at: Moment, missing: Missing): Promise<void> {
  let late: Missing | undefined = missing;
  while (late !== undefined) {
    await load(bench, late);
    late = attempt(bench, ready, at);
  }
}

type Missing = ReadonlyMap<string, StateRef<unknown>>;

/** Calls the handler over the states as they are now; returns those that must be loaded before. */
function attempt(bench: Bench, ready: Ready, at: Moment): Missing | undefined {
  const { input, rule, body } = ready;
  try {
    if (ready.error !== undefined) throw ready.error;
    if (rule !== undefined) {
      const draft = new Draft(at.context, input, at.timeMs);
      const before = lend(bench, rule, body, draft);
      if (!Array.isArray(before)) return before;
      (rule.handle as (...all: unknown[]) => void)(body, ...before, draft);
      if (bench.freeze) for (const save of draft.saves) deepFreeze(save.value);
      at.work.merge(input, draft);
      bench.parking.went(input.subject, false);
    }
    if (input.parked !== undefined) unpark(bench, input.parked, at.work);
  } catch (error) {
    setAside(bench, input, error, at);
  }
  return undefined;
}

/** The states of a rule's steps as the handler gets them, or those that must be loaded before. */
function lend(bench: Bench, rule: Rule, body: unknown, draft: Draft): unknown[][] | Missing {
  const before: unknown[][] = [];
  for (const step of rule.steps as unknown as readonly Step[]) {
    const lent: unknown[] = [];
    let missing: Map<string, StateRef<unknown>> | undefined;
    for (const ref of step(body, ...before)) {
      const entry: Entry | undefined = bench.cache.get(ref);
      if (entry === undefined) (missing ??= new Map()).set(cacheKey(ref), ref);
      else {
        assertOwned(entry, bench.id, draft.input);
        if (bench.freeze) deepFreeze(entry.value);
        lent.push(draft.lend(entry));
      }
    }
    if (missing !== undefined) return missing;
    before.push(lent);
  }
  return before;
}

async function queueBehind(bench: Bench, input: Input, key: string, work: Work): Promise<void> {
  const parked = bench.parking.get(key)!;
  // It may be what the first one waits for.
  if (parked.dueMs !== undefined) bench.parking.hurry(key, work.publishAtMs);
  if (!bench.parking.counted(key)) await countParked(bench, parked.partition, key);
  bench.parking.add(key);
  work.parkedAdded.push(parkedRow(input, parked.partition, key, work.takeNumber()));
}

/** How many inputs a key holds that an earlier life of the lane has parked. */
async function countParked(bench: Bench, partition: number, key: string): Promise<void> {
  const rows = await bench.store.parked(bench.id.service, partition, key, 0, 2_048);
  bench.parking.count(key, rows.length);
}

/** Takes an input out of its parked queue; what lies behind it, or still waits in front of it, is tried at once. */
function unpark(bench: Bench, parked: { partition: number; key: string }, work: Work): void {
  if (bench.parking.remove(parked.key) > 0) {
    work.parkedKeys.set(parked.key, bench.parking.hurry(parked.key, work.publishAtMs));
    return;
  }
  bench.parking.release(parked.key);
  work.parkedKeys.delete(parked.key);
  work.keysReleased.set(parked.key, { partition: parked.partition, key: parked.key });
}

/** Keeps an input that failed, under its entity's key; one that was parked already stays where it lies. */
function setAside(bench: Bench, input: Input, error: unknown, { work }: Moment): void {
  const { parking } = bench;
  const soft = error instanceof NotYet;
  const parked = soft
    ? parking.notYet(input, input.partition, error.message, work.publishAtMs)
    : parking.failed(input, input.partition, error, work.publishAtMs);
  work.parkedKeys.set(parked.key, parked);
  work.keysReleased.delete(parked.key);
  if (input.parked === undefined) {
    if (!parking.counted(parked.key)) parking.count(parked.key, 0);
    parking.add(parked.key);
    work.parkedAdded.push(parkedRow(input, parked.partition, parked.key, work.takeNumber()));
  } else {
    work.stick(parked.key, soft ? input.topic : undefined);
    work.parkedRemoved.splice(work.parkedRemoved.indexOf(input.parked), 1);
  }
  if (!soft) parking.went(parked.key, true);
}
