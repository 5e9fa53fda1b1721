import type { Scene } from "./scene.ts";
import { noteOf, seen } from "./witness.ts";

/** By topic and entity, what the witness wrote down. */
async function notesOf(scene: Scene): Promise<Map<string, string[]>> {
  const names = new Set(scene.ledger.said.map(({ topic, subject }) => `${topic} ${subject}`));
  const rows = await scene.store.load(
    "witness",
    [...names].map((id) => ({ kind: seen.kind, id })),
  );
  return new Map(rows.map(({ id, body }) => [id, JSON.parse(body) as string[]]));
}

const isAlarm = (note: string): boolean => note.startsWith("!");
/** Of what an alarm says the note of the message that made it; "" where none did. */
const messageIn = (note: string): string => (isAlarm(note) ? (/^! clear (.*)$/.exec(note)?.[1] ?? "") : note);
const idIn = (note: string): string => note.split(" ")[0]!;
const typesIn = (notes: readonly string[]): string => notes.map((note) => note.split(" ")[1]).join(", ");

/** What of all that was said did not reach the witness once and in order, in words. */
export async function arrivalErrors(scene: Scene): Promise<string[]> {
  const wanted = Map.groupBy(scene.ledger.said, ({ topic, subject }) => `${topic} ${subject}`);
  const found = await notesOf(scene);
  const errors: string[] = [];
  for (const [name, said] of wanted) {
    const arrived = (found.get(name) ?? []).filter((note) => !isAlarm(note));
    if (arrived.length === said.length && arrived.every((note, at) => note === noteOf(said[at]!))) continue;
    errors.push(`about ${name}: ${difference(said.map(noteOf), arrived)}`);
  }
  return errors;
}

function difference(said: readonly string[], arrived: readonly string[]): string {
  const lost = said.filter((note) => !arrived.includes(note));
  const twice = repeated(arrived);
  if (lost.length > 0) return `never arrived: ${typesIn(lost)}`;
  if (twice.length > 0) return `arrived twice: ${typesIn(twice)}`;
  return `said ${typesIn(said)}; arrived ${typesIn(arrived)}`;
}

function repeated(notes: readonly string[]): string[] {
  return notes.filter((note, at) => notes.indexOf(note) !== at);
}

/**
 * What is asked for twice, under one id, is refused twice under one id. And a service that was put back may tell the outcome of one
 * call in two ways: what it knew, and later that it cannot know. A person is then asked for twice, for two reasons, under one id.
 */
const mayComeTwice = (note: string): boolean => note.endsWith("refused") || note.endsWith("attention-needed");

/** What arrived twice, whatever was said: holds even when a database was put back. */
export async function repeatErrors(scene: Scene): Promise<string[]> {
  const errors: string[] = [];
  for (const [name, notes] of await notesOf(scene)) {
    const twice = repeated(notes.filter((note) => !isAlarm(note) && !mayComeTwice(note)));
    if (twice.length > 0) errors.push(`about ${name}: arrived twice: ${typesIn(twice)}`);
  }
  return errors;
}

/** For how long before a timer falls due what comes may be overlooked: an end that was reached counts as one for 15 s. */
const overlookedMs = 16_000;

/**
 * Timers that went off after they were cleared, more than once, or before what had come in time was read. The last is
 * asked only where the database's clock went as clocks should.
 */
export async function timerErrors(scene: Scene, isSteady: boolean): Promise<string[]> {
  const errors: string[] = [];
  for (const [name, notes] of await notesOf(scene)) {
    let dueMs: number | undefined;
    for (const [at, note] of notes.entries()) {
      if (!isAlarm(note)) continue;
      const [, word, due] = note.split(" ");
      if (word === "set") dueMs = Number(due);
      else if (word === "clear") dueMs = undefined;
      else {
        if (dueMs !== Number(due)) errors.push(`about ${name}: a timer went off that was not set any more`);
        dueMs = undefined;
        const overlooked = isSteady
          ? notes
              .slice(at)
              .map(messageIn)
              .filter((found) => scene.reachedAtMs(idIn(found)) < Number(due) - overlookedMs)
          : [];
        if (overlooked.length > 0)
          errors.push(`about ${name}: a timer went off before ${typesIn(overlooked)} was read, which had come in time`);
      }
    }
  }
  return errors;
}

/** Whether each source's numbers in each partition are one chain, once repeats are dropped. Only for logs that lost nothing. */
export function chainErrors(scene: Scene): string[] {
  const errors: string[] = [];
  for (const { partitions } of scene.logs.topics.values()) {
    for (const { topic, partition, messages } of partitions) {
      const marks = new Map<string, number>();
      for (const { stamp, offset } of messages) {
        if (stamp === undefined) continue;
        const mark = marks.get(stamp.source) ?? 0;
        if (stamp.n <= mark) continue;
        if (stamp.prev !== mark)
          errors.push(`${topic}/${partition}: ${stamp.n} at ${offset} names ${stamp.prev}, not ${mark}, before it`);
        marks.set(stamp.source, stamp.n);
      }
    }
  }
  return errors;
}
