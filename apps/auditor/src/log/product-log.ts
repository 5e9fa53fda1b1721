import { productChanged, type ProductChanged } from "@waybill/contracts";
import type { Books, LogMessage } from "../books.ts";
import type { Findings } from "../findings.ts";
import { placeOf } from "./chains.ts";

interface Change {
  readonly body: ProductChanged;
  readonly atMs: number;
  readonly where: string;
}

export interface ProductChanges {
  readonly last: Map<string, Change>;
  readonly lastRead: Map<string, Change>;
}

/** Law 9 for what is known of products: the catalogue itself, and the copy that orders keeps to price by. */
export class ProductLog {
  /** By SKU, what the log says last, and what it says last that orders has read. */
  readonly #last: Map<string, Change>;
  readonly #lastRead: Map<string, Change>;
  readonly #isCut: boolean;

  constructor(isCut: boolean, { last = new Map(), lastRead = new Map() }: Partial<ProductChanges> = {}) {
    this.#isCut = isCut;
    this.#last = last;
    this.#lastRead = lastRead;
  }

  /** What it has read, for another thread. */
  get changes(): ProductChanges {
    return { last: this.#last, lastRead: this.#lastRead };
  }

  take(message: LogMessage, isUnread: boolean): void {
    if (message.type !== productChanged.name) return;
    const body = JSON.parse(message.body()) as ProductChanged;
    const change = { body, atMs: message.atMs, where: placeOf(message) };
    this.#last.set(body.sku, change);
    if (!isUnread) this.#lastRead.set(body.sku, change);
  }

  async compare(books: Books, findings: Findings): Promise<void> {
    await this.#compare(books, "catalogue", this.#last, ["title", "price", "currency", "active"], findings);
    await this.#compare(books, "orders", this.#lastRead, ["price", "currency", "active"], findings);
  }

  async #compare(
    books: Books,
    service: string,
    changes: ReadonlyMap<string, Change>,
    fields: readonly (keyof ProductChanged)[],
    findings: Findings,
  ): Promise<void> {
    const missing = new Map(changes);
    for await (const page of books.states(service, "product")) {
      for (const { id, body } of page) {
        const change = missing.get(id);
        missing.delete(id);
        if (change === undefined && this.#isCut) continue;
        findings.checked(9);
        const product = JSON.parse(body) as ProductChanged;
        const wrong = fields.filter((field) => product[field] !== change?.body[field]);
        const of = (from: Partial<ProductChanged> | undefined) =>
          wrong.map((field) => String(from?.[field])).join(", ");
        if (change === undefined) say(service, id, "has it, and the log never told of it", undefined, findings);
        else if (wrong.length > 0) {
          say(
            service,
            id,
            `has ${wrong.join(", ")} as ${of(product)}; by the log ${of(change.body)}`,
            change,
            findings,
          );
        }
      }
    }
    for (const [sku, change] of missing) {
      findings.checked(9);
      say(service, sku, "does not have it, and the log tells of it", change, findings);
    }
  }
}

function say(service: string, sku: string, what: string, change: Change | undefined, findings: Findings): void {
  findings.breach({
    law: 9,
    what: `Product ${sku}: ${service} ${what}.`,
    where: change?.where ?? `product ${sku} of ${service}`,
    sinceMs: change?.atMs,
    remedy: "Change the product once more, with another title for a moment: every service takes the whole of it.",
  });
}
