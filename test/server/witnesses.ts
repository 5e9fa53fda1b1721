import type { StateKind } from "@waybill/messaging";
import { order, type Order } from "@waybill/orders";
import { embeddedEngine, realWorld, type Engine } from "@waybill/server";
import { stock, type Stock } from "@waybill/inventory";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/** One operation as the gateway's own ledger has it. */
export interface GatewayOperation {
  /** Absent from what the gateway did by itself. */
  readonly key?: string;
  readonly kind: "authorise" | "capture" | "void" | "refund" | "expire";
  readonly result: "approved" | "refused";
  readonly reference: string;
  readonly amount: number;
}

/** The gateway's whole ledger, from the gateway itself. */
export async function gatewayLedger(gatewayUrl: string): Promise<readonly GatewayOperation[]> {
  const text = await (await fetch(`${gatewayUrl}/ledger`)).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as GatewayOperation);
}

/** A letter in the mail folder. */
export interface Letter {
  readonly orderId: string;
  readonly kind: string;
  readonly to: string;
}

export function letters(data: string): readonly Letter[] {
  const files = readdirSync(join(data, "mail"), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name.endsWith(".eml"))
    .map((file) => {
      const text = readFileSync(join(file.parentPath, file.name), "utf8");
      const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, "m").exec(text)?.[1] ?? "";
      return { orderId: header("X-Waybill-Order"), kind: header("X-Waybill-Kind"), to: header("To") };
    });
}

/** What a shop holds. */
export interface Books {
  readonly orders: ReadonlyMap<string, Order>;
  readonly stock: ReadonlyMap<string, Stock>;
}

/** What a shop's file holds, read by another process. */
export async function booksOf(data: string): Promise<Books> {
  await using engine = await embeddedEngine({ folder: data, world: realWorld(() => undefined), readOnly: true });
  return await booksFrom(engine);
}

/** What the services of an engine have stored. */
export async function booksFrom(engine: Engine): Promise<Books> {
  const all = async <T>(service: string, kind: StateKind<T>) => {
    const found = new Map<string, T>();
    for (let after = ""; ;) {
      const page = await engine.durable.states(service, kind, after, 1_000);
      for (const { id, value } of page) found.set(id, value);
      if (page.length < 1_000) return found;
      after = page.at(-1)!.id;
    }
  };
  return { orders: await all<Order>("orders", order), stock: await all<Stock>("inventory", stock) };
}

/** Holds the gateway's word against the shop's: every order's money moved as its status says, and each step once. */
export function expectMoneyAgrees(orders: Iterable<Order>, ledger: readonly GatewayOperation[]): void {
  expect(new Set(ledger.map(({ key }) => key)).size).toBe(ledger.length);
  const byOrder = Map.groupBy(ledger, ({ reference }) => reference);
  for (const { orderId, status, total } of orders) {
    const done = (byOrder.get(orderId) ?? []).filter(({ result }) => result === "approved");
    const amounts = (kind: GatewayOperation["kind"]) =>
      done.filter((one) => one.kind === kind).map(({ amount }) => amount);
    const [authorised, captured, released] = [amounts("authorise"), amounts("capture"), amounts("void")];
    const told = `order ${orderId}, ${status}`;
    expect(authorised.length, told).toBeLessThanOrEqual(1);
    expect(captured, told).toEqual(status === "completed" ? [total] : []);
    if (status === "completed") expect(authorised, told).toEqual([total]);
    else expect(released, told).toEqual(authorised);
  }
}

/** Every piece is on the shelf or was sent: nothing is held any more, and nothing was made up. */
export function expectStockAgrees({ orders, stock: shelf }: Books, initial: ReadonlyMap<string, number>): void {
  const sent = new Map<string, number>();
  for (const { status, lines } of orders.values()) {
    if (status !== "completed") continue;
    for (const { sku, quantity } of lines) sent.set(sku, (sent.get(sku) ?? 0) + quantity);
  }
  for (const [sku, first] of initial) {
    const { onHand, reserved } = shelf.get(sku)!;
    expect({ sku, reserved, onHand }).toEqual({ sku, reserved: 0, onHand: first - (sent.get(sku) ?? 0) });
  }
}
