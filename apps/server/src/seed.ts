import { productPut, stockAdjust, type Currency } from "@waybill/contracts";
import { stock } from "@waybill/inventory";
import type { Publisher, StateKind, World } from "@waybill/messaging";
import { product } from "@waybill/orders";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileName } from "@waybill/store-sqlite";
import type { Engine } from "./engine.ts";

/** A product of the sample, and how much of it a new shop has. */
export interface SampleProduct {
  readonly sku: string;
  readonly title: string;
  readonly price: string;
  readonly currency: Currency;
  readonly onHand: number;
}

const sampleFile = fileURLToPath(new URL("../sample/products-2010-12.jsonl", import.meta.url));
const pollMs = 50;
const pageMax = 1_000;

/** The products that come with the program. */
export function sampleProducts(): readonly SampleProduct[] {
  const lines = readFileSync(sampleFile, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as SampleProduct);
}

/** The services that must work in a process for it to put the sample in. */
export const sampleNeeds: readonly string[] = ["catalogue", "orders", "inventory"];

/** Whether a data folder holds a shop's file. */
export function hasFile(folder: string): boolean {
  return existsSync(join(folder, fileName));
}

/** Whether no service has ever worked on an engine. */
export async function isEmpty({ store }: Engine): Promise<boolean> {
  return (await store.survey(sampleNeeds)).lanes.length === 0;
}

/** Whether a shop wants its sample: it is new, or was left while the sample was being put in, which its folder tells. */
export function openSeed(folder: string, isNew: boolean): { readonly isDue: boolean; done(): void } {
  const marker = join(folder, "seeding");
  const isDue = isNew || existsSync(marker);
  if (isDue) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(marker, "The sample is not in yet: the next start puts it in.\n");
  }
  return { isDue, done: () => rmSync(marker, { force: true }) };
}

/**
 * Sends products and stock in through the doors like anybody else, and waits until orders knows the prices and inventory
 * the stock. Doing it again changes nothing.
 */
export async function seed(
  engine: Engine,
  publisher: Publisher,
  world: World,
  products: readonly SampleProduct[],
): Promise<void> {
  await Promise.all(
    products.flatMap(({ onHand, ...one }) => [
      publisher.publish(productPut, { ...one, active: true }),
      publisher.publish(stockAdjust, {
        adjustmentId: `sample/${one.sku}`,
        sku: one.sku,
        quantity: onHand,
        reason: "The sample's first stock",
      }),
    ]),
  );
  const skus = products.map(({ sku }) => sku);
  while (!(await hasAll(engine, "orders", product, skus))) await world.sleep(pollMs);
  while (!(await hasAll(engine, "inventory", stock, skus))) await world.sleep(pollMs);
}

/** Whether a service has states of a kind for all of these ids. */
async function hasAll(
  engine: Engine,
  service: string,
  kind: StateKind<unknown>,
  ids: readonly string[],
): Promise<boolean> {
  const missing = new Set(ids);
  for (let after = ""; missing.size > 0;) {
    const page = await engine.durable.states(service, kind, after, pageMax);
    for (const { id } of page) missing.delete(id);
    if (page.length < pageMax) break;
    after = page.at(-1)!.id;
  }
  return missing.size === 0;
}
