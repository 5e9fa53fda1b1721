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
import { applied, keyOf, waitOf } from "./headers.ts";
import { keyedId, timedId } from "./ids.ts";
import { Problem } from "./problem.ts";

/** How long an adjustment waits for inventory when the client does not say, in seconds. */
const waitSecondsDefault = 5;

type Decided = { readonly refused: boolean; readonly body: StockAdjusted | StockAdjustmentRefused };

/** The stock of each SKU, and what changes it by hand. */
export function addStock(app: FastifyInstance, { engine, door, watch }: HttpParts): void {
  const stockOf = (sku: string): Stock | undefined => engine.durable.state("inventory", stockKind, sku);

  app.get<{ Params: { sku: string } }>("/stock/:sku", async (request, reply) => {
    const { sku } = request.params;
    const stock = stockOf(sku);
    if (stock !== undefined) return answer(reply, 200, stockView(sku, stock));
    throw new Problem("not-found", `There is no stock of ${sku}.`);
  });

  /** Answers a repeat of an adjustment that was decided before: it changes nothing, whatever it says. */
  function refuseOtherSku({ adjustmentId, sku }: StockAdjust): boolean {
    const decided = engine.durable.state("inventory", adjustmentKind, adjustmentId);
    if (decided === undefined) return false;
    if (decided.sku === sku) return true;
    const text = `Adjustment ${adjustmentId} was made to the stock of ${decided.sku}. Use a new id.`;
    throw new Problem("adjustment-conflict", text, { more: { adjustmentId, sku: decided.sku } });
  }

  app.post<{ Params: { sku: string } }>("/stock/:sku/adjustments", async (request, reply) => {
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
    const repeat = { adjustmentId: adjust.adjustmentId, sku };
    if (refuseOtherSku(adjust)) return answer(reply, 200, { ...repeat, stock: stockView(sku, stockOf(sku)) }, headers);
    const waitMs = (waitSeconds ?? waitSecondsDefault) * 1_000;
    const answered = watch.until(topics.stock, sku, waitMs, (message) => decisionOn(adjust, message));
    await door.publish(stockAdjust, adjust);
    const decided = await answered;
    if (decided === undefined) return answer(reply, 202, repeat, headers);
    if (decided.refused) throw new Problem("adjustment-refused", decided.body.reason, { headers, more: repeat });
    return answer(reply, 200, { ...repeat, stock: stockView(sku, stockOf(sku)) }, headers);
  });
}

/** What inventory says of an adjustment, if this is the message that says it. */
function decisionOn({ adjustmentId }: StockAdjust, message: StoredMessage | undefined): Decided | undefined {
  if (message?.type !== stockAdjusted.name && message?.type !== stockAdjustmentRefused.name) return undefined;
  const body = JSON.parse(bodyText(message.body)) as Decided["body"];
  if (body.adjustmentId !== adjustmentId) return undefined;
  return { refused: message.type === stockAdjustmentRefused.name, body };
}

function stockView(sku: string, stock: Stock | undefined): Record<string, unknown> {
  if (stock === undefined) return { sku };
  const { onHand, reserved, lowAt } = stock;
  return { sku, onHand, reserved, available: available(stock), lowAt };
}
