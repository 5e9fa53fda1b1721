import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Progress } from "../installed.ts";
import type { Kind } from "../kinds.ts";
import { repository } from "../repository.ts";
import type { Entry } from "./state.ts";

const run = promisify(execFile);

/** The services of compose.yaml and the ports that it gives them on 127.0.0.1. */
const services = {
  nats: { one: ["nats"], three: ["nats-1", "nats-2", "nats-3"], port: 14_222, scheme: "nats://" },
  kafka: { one: ["kafka"], three: ["kafka-1", "kafka-2", "kafka-3"], port: 19_092, scheme: "" },
  postgres: { one: ["postgres"], three: ["postgres"], port: 15_432, scheme: "postgres://waybill@" },
} as const;

/** Whether an engine runs and has compose. An engine without compose is worth a word. */
export async function composeAnswers(progress: Progress): Promise<boolean> {
  if (!(await succeeds("info"))) return false;
  if (await succeeds("compose", "version")) return true;
  progress("Docker answers but has no compose; local programs are used instead.");
  return false;
}

/** Starts them and waits until each is healthy. What runs already is left as it is. */
export async function composeUp(kinds: readonly Kind[], cluster: boolean): Promise<Entry[]> {
  const names = kinds.flatMap((kind) => [...services[kind][cluster ? "three" : "one"]]);
  await compose("up", "--detach", "--wait", ...names);
  return kinds.map((kind) => ({
    kind,
    cluster: cluster && kind !== "postgres",
    url: urlOf(kind, cluster),
    servers: [],
  }));
}

/** Ends all that compose.yaml knows; the volumes stay. */
export async function composeDown(): Promise<void> {
  await compose("--profile", "*", "down");
}

function urlOf(kind: Kind, cluster: boolean): string {
  const { one, three, port, scheme } = services[kind];
  const count = cluster ? three.length : one.length;
  const first = count > 1 ? port + 1 : port;
  const path = kind === "postgres" ? "/postgres" : "";
  return Array.from({ length: count }, (_, index) => `${scheme}127.0.0.1:${first + index}${path}`).join();
}

async function compose(...args: readonly string[]): Promise<void> {
  await run("docker", ["compose", "--file", join(repository, "compose.yaml"), ...args], { maxBuffer: 1 << 26 });
}

async function succeeds(...args: readonly string[]): Promise<boolean> {
  try {
    await run("docker", args, { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
