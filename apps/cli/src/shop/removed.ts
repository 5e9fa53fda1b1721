import { removedServices, shopServices, type RemovedService } from "@waybill/server";
import { CliError } from "../exit.ts";
import { count } from "../print.ts";
import { table } from "../table.ts";
import { refused, type Found } from "./found.ts";

/** What is kept of services that were taken out, as the server says, or what it runs on when no server can be asked. */
export async function readRemoved(found: Found): Promise<readonly RemovedService[]> {
  const told = (await found.get("/services/removed").catch(refused)) as { services: RemovedService[] } | undefined;
  if (told !== undefined) return told.services;
  await using engine = await found.open();
  return await removedServices(engine.keeping, shopServices());
}

/** What is kept of one of them. */
export async function keptOf(found: Found, service: string): Promise<RemovedService> {
  const services = await readRemoved(found);
  const kept = services.find((one) => one.service === service);
  if (kept !== undefined) return kept;
  const names = services.map((one) => one.service).join(", ");
  const others = names === "" ? "nothing is kept of any" : `something is kept of ${names}`;
  throw new CliError("failed", `Nothing is kept of a service ${service} that was taken out; ${others}.`);
}

/** Deletes it, by the server; what was kept. */
export async function forget(found: Found, service: string, reason: string): Promise<RemovedService> {
  const path = `/services/${encodeURIComponent(service)}/forget`;
  const { forgotten } = (await found.post(path, { reason }).catch(refused)) as { forgotten: RemovedService };
  return forgotten;
}

const head = ["service", "states", "timers", "calls", "parked", "unsent", "holds back"];
const numbers = new Set([1, 2, 3, 4, 5]);
/** The server counts rows up to this many. */
const countMax = 10_000;

/** What is kept of services that were taken out, a line each. */
export function removedText(services: readonly RemovedService[]): string {
  if (services.length === 0) return "Nothing is kept of any service that was taken out.";
  const rows = services.map(({ service, states, timers, effects, parked, outbox, topics }) => {
    const held = topics.filter(({ messages }) => messages > 0);
    const back = held.map(({ topic, messages }) => `${topic}: ${count(messages)}`).join(", ");
    return [service, ...[states, timers, effects, parked, outbox].map(atMost), back || "nothing"];
  });
  return table(head, rows, numbers);
}

export function forgottenText({ service, topics }: RemovedService): string {
  const held = topics.filter(({ messages }) => messages > 0).map(({ topic }) => topic);
  const freed = held.length === 0 ? "" : ` Nothing is held back for it any more in ${held.join(", ")}.`;
  return `${service} is forgotten.${freed}`;
}

function atMost(rows: number): string {
  return `${count(rows)}${rows >= countMax ? "+" : ""}`;
}
