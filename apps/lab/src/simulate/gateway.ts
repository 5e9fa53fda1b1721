import type { EffectCall, Outcome, TryAgain, AnyEffectAdapter } from "@waybill/messaging";
import {
  gatewayEffects,
  type AuthoriseRequest,
  type PaymentGateway,
  type PaymentRequest,
  type Receipt,
} from "@waybill/payments";
import type { Network, Rolls, SimulatedProcess } from "@waybill/simulator";
import type { GatewayChances, Setting } from "./plan.ts";

/** One authorisation and what became of its money, in minor units. */
export interface Book {
  readonly paymentId: string;
  readonly reference: string;
  readonly amount: number;
  readonly token: string;
  held: number;
  taken: number;
  back: number;
  expired: boolean;
}

type Operation = "authorise" | "capture" | "void" | "refund";
type Request = AuthoriseRequest | PaymentRequest;

/** How long a request may be on its way: so much earlier the shop must stop to repeat a key. */
const onTheWayMs = 25_000;

const none: GatewayChances = { busy: 0, lost: 0, answerLost: 0, late: 0, lateRequest: 0, twice: 0 };

/** The gateway as it is outside of every process: its own truth about the money. It does as it is told, also what is wrong. */
export class SimulatedGateway {
  readonly books: Book[] = [];
  /** What nobody may ask a gateway for. */
  readonly findings: { readonly reference: string; readonly text: string }[] = [];
  chances: GatewayChances = none;
  readonly #setting: Setting;
  readonly #network: Network;
  readonly #chance: Rolls;
  readonly #keys = new Map<string, { atMs: number; outcome: Outcome<Receipt> }>();
  readonly #patienceMs: number;
  readonly #hasLeft: (reference: string) => boolean;
  #operations = 0;

  constructor(options: {
    setting: Setting;
    network: Network;
    chance: Rolls;
    /** For how much longer than it says it remembers keys. */
    patienceMs: number;
    /** Whether an order's goods have left: no money may be taken before. */
    hasLeft: (reference: string) => boolean;
  }) {
    this.#setting = options.setting;
    this.#network = options.network;
    this.#chance = options.chance;
    this.#patienceMs = options.patienceMs;
    this.#hasLeft = options.hasLeft;
  }

  #found(reference: string, text: string): void {
    this.findings.push({ reference, text });
  }

  trouble(chances: Partial<GatewayChances>): void {
    this.chances = { ...none, ...chances };
  }

  booksOf(reference: string): readonly Book[] {
    return this.books.filter((book) => book.reference === reference);
  }

  /** What the gateway has done for a key; it forgets keys only where the shop was told so. */
  #known(key: string): Outcome<Receipt> | undefined {
    const known = this.#keys.get(key);
    if (known === undefined) return undefined;
    const ageMs = this.#network.scheduler.nowMs - known.atMs;
    if (this.#setting.gateway === "find" || ageMs < this.#setting.keyTtlMs + this.#patienceMs) return known.outcome;
    this.#keys.delete(key);
    return undefined;
  }

  operate(operation: Operation, request: Request, key: string): Outcome<Receipt> {
    const known = this.#known(key);
    if (known !== undefined) return known;
    const outcome = this.#apply(operation, request);
    this.#keys.set(key, { atMs: this.#network.scheduler.nowMs, outcome });
    return outcome;
  }

  #apply(operation: Operation, request: Request): Outcome<Receipt> {
    if (operation === "authorise") return this.#authorise(request as AuthoriseRequest);
    const book = this.books.find(({ paymentId }) => paymentId === (request as PaymentRequest).paymentId);
    const { minor } = request.amount;
    if (book === undefined) {
      this.#found(
        request.reference,
        `${operation} of ${request.reference} names a payment that the gateway does not know`,
      );
      return { kind: "refused", reason: "no_such_payment" };
    }
    if (operation === "refund") return this.#refund(book, minor);
    if (book.expired) return { kind: "refused", reason: "authorisation_expired" };
    if (book.held < minor) {
      this.#found(book.reference, `${operation} of ${book.reference} finds ${book.held} held, ${minor} wanted`);
      return { kind: "refused", reason: "nothing_held" };
    }
    if (operation === "capture" && book.token === "tok_capture_refused")
      return { kind: "refused", reason: "card_closed" };
    if (operation === "capture" && !this.#hasLeft(book.reference))
      this.#found(book.reference, `${book.reference} is captured before its goods have left`);
    book.held -= minor;
    if (operation === "capture") book.taken += minor;
    return this.#receipt(book.paymentId);
  }

  #authorise({ reference, amount, token }: AuthoriseRequest): Outcome<Receipt> {
    if (token === "tok_declined") return { kind: "refused", reason: "card_declined" };
    const before = this.booksOf(reference);
    const paymentId = `pay-${reference}-${before.length + 1}`;
    const book: Book = {
      paymentId,
      reference,
      amount: amount.minor,
      token,
      held: amount.minor,
      taken: 0,
      back: 0,
      expired: false,
    };
    if (before.some(({ held, taken }) => held + taken > 0)) this.#found(reference, `${reference} is authorised twice`);
    this.books.push(book);
    // Some banks let go of money before the goods can have left.
    const heldMs = reference.length % 2 === 0 ? 3_000 : 15_000;
    if (token === "tok_expires" && before.length === 0) this.#network.scheduler.after(heldMs, () => expire(book));
    return this.#receipt(paymentId);
  }

  #refund(book: Book, minor: number): Outcome<Receipt> {
    if (book.taken - book.back < minor) this.#found(book.reference, `${book.reference} gets back more than was taken`);
    book.back += minor;
    return this.#receipt(book.paymentId);
  }

  #receipt(paymentId: string): Outcome<Receipt> {
    return { kind: "done", value: { paymentId, operationId: `op-${++this.#operations}` } };
  }

  /**
   * What a person does who looks up an operation that nobody could tell: the truth; and money that could not be taken or
   * given back by a call is taken or given back by hand.
   */
  byHand(operation: Operation, reference: string, minor: number): { done: boolean; paymentId: string } {
    const book = this.booksOf(reference).at(-1);
    if (operation === "authorise") {
      const isHeld = book !== undefined && !book.expired && book.held > 0;
      return { done: isHeld, paymentId: book?.paymentId ?? "" };
    }
    if (book === undefined) return { done: false, paymentId: "" };
    if (operation === "void" && book.expired && this.#setting.gateway === "find")
      this.#found(reference, `a person was asked to give back ${reference}'s money, which nobody holds`);
    if (operation === "capture" && book.taken === 0) book.taken = minor;
    if (operation === "refund" && book.back === 0) book.back = minor;
    book.held = 0;
    return { done: true, paymentId: book.paymentId };
  }

  /** The hands of one process' effects on this gateway. */
  adapters(process: SimulatedProcess): Record<string, AnyEffectAdapter> {
    const ask = (operation: Operation) => (request: Request, call: EffectCall) =>
      this.#call(process, operation, request, call);
    const gateway: PaymentGateway = {
      authorise: ask("authorise"),
      capture: ask("capture"),
      void: ask("void"),
      refund: ask("refund"),
      find: (key) => this.#network.call(process, undefined, () => this.#known(key)),
    };
    const adapters = gatewayEffects(gateway);
    if (this.#setting.gateway === "find") return adapters;
    const { keyTtlMs } = this.#setting;
    return Object.fromEntries(
      Object.entries(adapters).map(([name, { call }]) => [
        name,
        { idempotent: "key", keyTtlMs: keyTtlMs - onTheWayMs, call },
      ]),
    );
  }

  async #call(
    process: SimulatedProcess,
    operation: Operation,
    request: Request,
    { key }: EffectCall,
  ): Promise<Outcome<Receipt> | TryAgain> {
    const network = this.#network;
    const { scheduler } = network;
    const roll = this.#chance.next();
    const { busy, lost, answerLost, late, lateRequest, twice } = this.chances;
    const work = (): Outcome<Receipt> => this.operate(operation, request, key);
    const error = new Error("The gateway hung up.");
    let from = 0;
    const is = (odds: number): boolean => roll >= from && roll < (from += odds);
    if (is(busy))
      return network.call(process, "effect", () => ({ kind: "again", reason: "too many requests" }) as const);
    if (is(lost)) return network.call(process, "effect", work, { kind: "lost", error });
    if (is(answerLost)) return network.call(process, "effect", work, { kind: "answer-lost", error });
    if (is(late)) {
      const outcome = await network.call(process, "effect", work);
      await process.world.sleep(this.#chance.between(1_000, 60_000));
      return outcome;
    }
    if (is(lateRequest))
      return network.call(process, "effect", work, { kind: "late", error, ms: this.#chance.between(1, 12_000) });
    if (is(twice)) scheduler.after(this.#chance.between(1, 5_000), work);
    return network.call(process, "effect", work);
  }
}

/** The card's bank lets go of the money by itself. */
function expire(book: Book): void {
  if (book.held === 0) return;
  book.held = 0;
  book.expired = true;
}
