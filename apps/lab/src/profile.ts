import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

export interface Spent {
  readonly percent: number;
  readonly where: string;
}

/** Runs something and tells where the main thread's time went: the functions with most time of their own. */
export async function profiled<T>(work: () => Promise<T>, top = 10): Promise<{ result: T; top: readonly Spent[] }> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  const result = await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [
      id,
      `${callFrame.functionName || "(anonymous)"} ${short(callFrame.url)}`,
    ]),
  );
  const spent = new Map<string, number>();
  let total = 0;
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const micros = profile.timeDeltas?.[at] ?? 0;
    total += micros;
    const name = names.get(id)!;
    spent.set(name, (spent.get(name) ?? 0) + micros);
  }
  const list = [...spent].sort((a, b) => b[1] - a[1]).slice(0, top);
  return { result, top: list.map(([where, micros]) => ({ where, percent: (100 * micros) / total })) };
}

/** The last parts of a file's path. */
function short(url: string): string {
  const path = url.startsWith("file:") ? fileURLToPath(url) : url;
  return path.split("/").slice(-3).join("/");
}
