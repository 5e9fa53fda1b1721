import { allMessages } from "@waybill/contracts";
import type { AnyMessageType } from "@waybill/messaging";
import type { Breach, Fix } from "./laws.ts";

/** How fixes are sent; each resolves with what to tell of it, or rejects with why it could not be sent. */
export interface SendTo {
  /** Sends a command to the shop. */
  message(type: AnyMessageType, body: Readonly<Record<string, unknown>>): Promise<string>;
  /** Asks the payment gateway. */
  gateway(fix: Fix & { readonly kind: "gateway" }): Promise<string>;
}

export interface SentFix {
  readonly where: string;
  readonly fix: Fix;
  readonly sent: boolean;
  /** What came of it. */
  readonly answer: string;
}

/** The fixes of these breaches, each once: two breaches of one order may want the same. */
export function fixesOf(breaches: readonly Breach[]): readonly (Breach & { readonly fix: Fix })[] {
  const seen = new Set<string>();
  return breaches.filter((breach): breach is Breach & { readonly fix: Fix } => {
    if (breach.fix === undefined) return false;
    const text = JSON.stringify(breach.fix);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/** What a fix sends, in one line. */
export function fixText(fix: Fix): string {
  const what = fix.kind === "message" ? fix.type : `gateway POST ${fix.path}`;
  return `${what} ${JSON.stringify(fix.body)}`;
}

/** Sends each; one that fails does not keep the others from being sent. */
export async function sendFixes(
  fixes: readonly (Breach & { readonly fix: Fix })[],
  to: SendTo,
): Promise<readonly SentFix[]> {
  const sent: SentFix[] = [];
  for (const { where, fix } of fixes) {
    try {
      sent.push({ where, fix, sent: true, answer: await sendOne(fix, to) });
    } catch (error) {
      sent.push({ where, fix, sent: false, answer: error instanceof Error ? error.message : String(error) });
    }
  }
  return sent;
}

async function sendOne(fix: Fix, to: SendTo): Promise<string> {
  if (fix.kind === "gateway") return to.gateway(fix);
  const type = allMessages.find(({ name }) => name === fix.type);
  if (type === undefined) throw new Error(`This build does not know the message ${fix.type}.`);
  return to.message(type, fix.body);
}

/** The HTTP request of a running server that carries a command; undefined when its interface has none. */
export function requestOf(
  type: string,
  body: Readonly<Record<string, unknown>>,
): { readonly path: string; readonly body: Readonly<Record<string, unknown>> } | undefined {
  const part = (name: string) => encodeURIComponent(String(body[name]));
  switch (type) {
    case "stock.adjust": {
      const { sku: _, ...rest } = body;
      return { path: `/stock/${part("sku")}/adjustments`, body: rest };
    }
    case "order.cancel":
      return { path: `/orders/${part("orderId")}/cancel`, body: { reason: body["reason"] } };
    default:
      return undefined;
  }
}
