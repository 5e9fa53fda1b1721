import {
  stockAdjust,
  stockAdjusted,
  stockAdjustmentRefused,
  topics,
  type StockAdjust,
  type StockAdjusted,
  type StockAdjustmentRefused,
} from "@waybill/contracts";
import { adjustment as adjustmentKind, available, stock as stockKind, type Stock } from "@waybill/inventory";
import { bodyText, type StoredMessage } from "@waybill/messaging";
import type { FastifyInstance } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema, optional, without } from "./document/json-schema.ts";
import { applied, keyOf, waitOf } from "./headers.ts";
import { keyedId, timedId } from "./ids.ts";
import { Problem } from "./problem.ts";
import { shapes } from "./shapes.ts";

/** How long an adjustment waits for inventory when the client does not say, in seconds. */
const waitSecondsDefault = 5;

/** How an adjustment was decided: done, or refused for a reason. */
type Decided = { readonly refused?: string };

/** The stock of each SKU, and what changes it by hand. */
export function addStock(app: FastifyInstance, { engine, door, watch }: HttpParts): void {
  const stockOf = (sku: string): Promise<Stock | undefined> => engine.durable.state("inventory", stockKind, sku);

  app.get<{ Params: { sku: string } }>("/stock/:sku", { config: { api: reading } }, async (request, reply) => {
    const { sku } = request.params;
    const stock = await stockOf(sku);
    if (stock !== undefined) return answer(reply, 200, stockView(sku, stock));
    throw new Problem("not-found", `There is no stock of ${sku}.`);
  });

  /** How an adjustment with this id was decided before; undefined when it was not. */
  async function decidedBefore({ adjustmentId, sku }: StockAdjust): Promise<Decided | undefined> {
    const decided = await engine.durable.state("inventory", adjustmentKind, adjustmentId);
    if (decided === undefined || decided.sku === sku) return decided;
    const text = `Adjustment ${adjustmentId} was made to the stock of ${decided.sku}. Use a new id.`;
    throw new Problem("adjustment-conflict", text, { more: { adjustmentId, sku: decided.sku } });
  }

  app.post<{ Params: { sku: string } }>(
    "/stock/:sku/adjustments",
    { config: { api: adjusting } },
    async (request, reply) => {
      const { sku } = request.params;
      const key = keyOf(request.headers["idempotency-key"]);
      const adjustmentId = key === undefined ? timedId(engine.store.nowMs()) : keyedId("adjustment", key);
      const members = { adjustmentId, ...membersOf(request.body) };
      if (Object.hasOwn(members, "sku")) {
        throw new Problem("fields-invalid", "sku: stands in the path; leave it out.", {
          errors: [{ field: "sku", reason: "stands in the path; leave it out" }],
        });
      }
      const adjust = valueOf(stockAdjust.schema, { ...members, sku });
      const waitSeconds = waitOf(request.headers.prefer);
      const headers = applied(waitSeconds);
      const what = { adjustmentId: adjust.adjustmentId, sku };
      const waitMs = (waitSeconds ?? waitSecondsDefault) * 1_000;
      const decided = (await decidedBefore(adjust)) ?? (await decide(adjust, waitMs, request.traceparent));
      if (decided === undefined) return answer(reply, 202, what, headers);
      if (decided.refused !== undefined)
        throw new Problem("adjustment-refused", decided.refused, { headers, more: what });
      return answer(reply, 200, { ...what, stock: stockView(sku, await stockOf(sku)) }, headers);
    },
  );

  /** Sends an adjustment in; how it was decided, or undefined when that takes longer. */
  async function decide(
    adjust: StockAdjust,
    waitMs: number,
    traceparent: string | undefined,
  ): Promise<Decided | undefined> {
    const answered = watch.until(topics.stock, adjust.sku, waitMs, (message) => decisionOn(adjust, message));
    await door.publish(stockAdjust, adjust, { traceparent });
    return answered;
  }
}

/** What inventory says of an adjustment, if this is the message that says it. */
function decisionOn({ adjustmentId }: StockAdjust, message: StoredMessage | undefined): Decided | undefined {
  if (message?.type !== stockAdjusted.name && message?.type !== stockAdjustmentRefused.name) return undefined;
  const body = JSON.parse(bodyText(message.body)) as StockAdjusted | StockAdjustmentRefused;
  if (body.adjustmentId !== adjustmentId) return undefined;
  return message.type === stockAdjustmentRefused.name ? { refused: body.reason } : {};
}

function stockView(sku: string, stock: Stock | undefined): Record<string, unknown> {
  if (stock === undefined) return { sku };
  const { onHand, reserved, lowAt } = stock;
  return { sku, onHand, reserved, available: available(stock), lowAt };
}

const tag = "stock";

const reading: Api = {
  tag,
  summary: "Pieces of a SKU on hand, reserved and available",
  role: "shop",
  answers: { 200: { text: "The stock.", schema: shapes.stock } },
  problems: ["not-found"],
};

const adjusting: Api = {
  tag,
  summary: "Adjust the stock of a SKU by hand",
  role: "operator",
  headers: ["idempotency-key", "prefer"],
  body: {
    schema: optional(without(jsonSchema(stockAdjust.schema), "sku"), "adjustmentId"),
    example: { quantity: 48, reason: "Delivery 17", lowAt: 12 },
  },
  answers: {
    200: { text: "It is done.", schema: shapes.adjusted },
    202: { text: "It is stored; inventory has not come to it yet.", schema: shapes.adjusted },
  },
  problems: ["adjustment-refused", "adjustment-conflict"],
};
