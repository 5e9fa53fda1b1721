import type { Service } from "@waybill/messaging";
import type { Keeping, Kept } from "./engine.ts";

/** A service that is no longer part of the shop, and what is kept of it. */
export interface RemovedService extends Kept {
  readonly service: string;
}

/** Every service that something is kept of and that this build does not know, in order of their names. */
export async function removedServices(keeping: Keeping, services: readonly Service[]): Promise<RemovedService[]> {
  const names = await removedNames(keeping, services);
  return Promise.all(names.map(async (service) => ({ service, ...(await keeping.of(service)) })));
}

/** Their names alone. */
export async function removedNames(keeping: Keeping, services: readonly Service[]): Promise<string[]> {
  const known = new Set(services.map(({ name }) => name));
  // What mirrors have copied is kept under names that no service can have.
  return (await keeping.services()).filter((name) => /^[a-z][a-z0-9-]*$/.test(name) && !known.has(name));
}
