import { seen } from "./witness.ts";
import type { Scene } from "./scene.ts";

/** What of all that was said did not reach the witness once and in order, in words. */
export async function arrivalErrors(scene: Scene): Promise<string[]> {
  const wanted = new Map<string, string[]>();
  for (const { topic, subject, id } of scene.ledger.said) {
    const name = `${topic} ${subject}`;
    const ids = wanted.get(name);
    if (ids === undefined) wanted.set(name, [id]);
    else ids.push(id);
  }
  const keys = [...wanted.keys()].map((id) => ({ kind: seen.kind, id }));
  const found = new Map((await scene.store.load("witness", keys)).map(({ id, body }) => [id, JSON.parse(body) as string[]]));
  const errors: string[] = [];
  for (const [name, ids] of wanted) {
    const arrived = found.get(name) ?? [];
    if (arrived.length === ids.length && arrived.every((id, at) => id === ids[at])) continue;
    errors.push(`about ${name}: ${difference(scene, ids, arrived)}`);
  }
  return errors;
}

function difference(scene: Scene, said: readonly string[], arrived: readonly string[]): string {
  const typeOf = (id: string) => scene.ledger.said.find((one) => one.id === id)?.type ?? id;
  const lost = said.filter((id) => !arrived.includes(id));
  const twice = arrived.filter((id, at) => arrived.indexOf(id) !== at);
  if (lost.length > 0) return `never arrived: ${lost.map(typeOf).join(", ")}`;
  if (twice.length > 0) return `arrived twice: ${twice.map(typeOf).join(", ")}`;
  return `said ${said.map(typeOf).join(", ")}; arrived ${arrived.map(typeOf).join(", ")}`;
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
        if (stamp.prev !== mark) errors.push(`${topic}/${partition}: ${stamp.n} at ${offset} names ${stamp.prev}, not ${mark}, before it`);
        marks.set(stamp.source, stamp.n);
      }
    }
  }
  return errors;
}
