import { shipment, type Shipment } from "@waybill/fulfilment";
import { product as catalogueProduct, type Product } from "@waybill/catalogue";
import { adjustment, reservation, stock, type Reservation, type Stock } from "@waybill/inventory";
import type { StateKind } from "@waybill/messaging";
import { mails, type Mails } from "@waybill/notifications";
import { order, product, type Order, type Product as KnownProduct } from "@waybill/orders";
import { payment, type Payment } from "@waybill/payments";
import type { Scene } from "./scene.ts";

/** The stored values of a kind of state, by id; those that exist. */
async function look<T>(
  scene: Scene,
  service: string,
  kind: StateKind<T>,
  ids: readonly string[],
): Promise<Map<string, T>> {
  const rows = await scene.store.load(
    service,
    ids.map((id) => ({ kind: kind.kind, id })),
  );
  return new Map(rows.map(({ id, body }) => [id, parsed(scene, `${service} ${kind.kind} ${id}`, body) as T]));
}

/** A state's value; one that has not changed since it was looked at last is not read again. */
function parsed({ looked }: Scene, name: string, body: string): unknown {
  const known = looked.get(name);
  if (known?.body === body) return known.value;
  const value: unknown = JSON.parse(body);
  looked.set(name, { body, value });
  return value;
}

/** Those of them whose text has this in it, so that most need not be read. */
async function lookFor<T>(
  scene: Scene,
  service: string,
  kind: StateKind<T>,
  ids: readonly string[],
  text: string,
): Promise<Map<string, T>> {
  const keys = ids.map((id) => ({ kind: kind.kind, id }));
  const rows = (await scene.store.load(service, keys)).filter(({ body }) => body.includes(text));
  return new Map(rows.map(({ id, body }) => [id, JSON.parse(body) as T]));
}

export const waitingShipmentsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Shipment>> =>
  lookFor(scene, "fulfilment", shipment, ids, '"waiting"');
export const stuckPaymentsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Payment>> =>
  lookFor(scene, "payments", payment, ids, '"attention"');
export const ordersOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Order>> =>
  look(scene, "orders", order, ids);
export const paymentsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Payment>> =>
  look(scene, "payments", payment, ids);
export const shipmentsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Shipment>> =>
  look(scene, "fulfilment", shipment, ids);
export const reservationsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Reservation>> =>
  look(scene, "inventory", reservation, ids);
export const stockOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Stock>> =>
  look(scene, "inventory", stock, ids);
export const adjustmentsOf = (
  scene: Scene,
  ids: readonly string[],
): Promise<Map<string, { sku: string; refused?: string }>> => look(scene, "inventory", adjustment, ids);
export const mailsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Mails>> =>
  look(scene, "notifications", mails, ids);
export const productsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, Product>> =>
  look(scene, "catalogue", catalogueProduct, ids);
export const knownProductsOf = (scene: Scene, ids: readonly string[]): Promise<Map<string, KnownProduct>> =>
  look(scene, "orders", product, ids);
