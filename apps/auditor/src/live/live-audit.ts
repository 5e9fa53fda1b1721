import { topics } from "@waybill/contracts";
import { partitionOf } from "@waybill/messaging";
import type { LogMessage } from "../books.ts";
import { Findings } from "../findings.ts";
import type { Breach } from "../laws.ts";
import { Chains } from "../log/chains.ts";
import { meaningOf, toldAfter, type Meaning } from "../log/order-log.ts";
import { StockLedger } from "../log/stock-ledger.ts";
import { checkSku } from "../stock-check.ts";
import { checkLive } from "./check-live.ts";
import type { LiveBooks, LiveLedger, LiveOrder, LiveTopic } from "./live-books.ts";
import { OpenBreaches } from "./open-breaches.ts";

export interface LiveAuditOptions {
  readonly books: LiveBooks;
  /** Opens the gateway's ledger once there is one; undefined when it is not at hand. */
  readonly ledger: () => LiveLedger | undefined;
  readonly nowMs: () => number;
  readonly tell: (breach: Breach, isOpen: boolean) => void;
}

/** An order that looks wrong, until everything that was on its way then has arrived. */
interface Suspect {
  readonly versions: string;
  /** What the log told of it lately. */
  readonly word: number;
  readonly ends: ReadonlyMap<string, number>;
}

/** An order that changed lately, and what the log has told of it since. */
interface Recent {
  word: number;
  /** Not to be looked at before: most orders change several times in a row. */
  dueMs: number;
}

const recentMax = 20_000;
/** So many messages of a topic may be unread; beyond that it goes on at the end. */
const behindMax = 20_000;
const settleMs = 3_000;
const rollingPage = 8;
/** How often orders that are known to be wrong are looked at again. */
const openEveryMs = 2_000;
const operationsAtOnce = 32;

/**
 * The laws as the shop works: what is new in the log, the orders and SKUs that changed, and in turn all orders there are. It
 * does a little whenever it is asked to, and holds what is bounded.
 */
export class LiveAudit {
  readonly #options: LiveAuditOptions;
  readonly #open: OpenBreaches;
  readonly #chains = new Map<string, Chains>();
  /** Up to where each topic was read. */
  readonly #read = new Map<string, number>();
  #stock = new StockLedger(true, true);
  readonly #recent = new Map<string, Recent>();
  readonly #suspects = new Map<string, Suspect>();
  readonly #skus = new Set<string>();
  #rollingAfter = "";
  /** The version of the file when the round began. */
  #rollingSince = -1;
  #openAtMs = 0;
  /** All orders were looked at since something last changed. */
  #isRolled = false;
  #version = -1;
  #lastOperation = -1;
  #partitions = 1;
  /** How many messages it has not looked at because the shop was faster. */
  skipped = 0;
  /** How many orders changed and could not be looked at soon; the rolling pass comes to them. */
  passedBy = 0;

  constructor(options: LiveAuditOptions) {
    this.#options = options;
    this.#open = new OpenBreaches(options.tell);
  }

  status() {
    return this.#open.status();
  }

  breaches(): readonly Breach[] {
    return [...this.#open.all()];
  }

  /** Works for about so long; true when there is more to do soon. */
  step(budgetMs: number): boolean {
    const { books } = this.#options;
    const version = books.version();
    const isNew = version !== this.#version;
    const isDone = this.#isRolled && this.#recent.size + this.#suspects.size + this.#skus.size === 0;
    if (!isNew && isDone) return false;
    if (isNew) this.#isRolled = false;
    this.#version = version;
    const endMs = performance.now() + budgetMs;
    const hasTime = () => performance.now() < endMs;
    const findings = new Findings();
    const isBehind = this.#readLog(findings, hasTime);
    this.#checkGateway(findings);
    while (hasTime() && this.#nextSku(findings, isBehind));
    const due = this.#dueOrders(hasTime);
    for (const id of due) this.#checkOrder(id, findings);
    books.begin();
    this.#stopped(books);
    books.end();
    this.#settle(findings);
    return true;
  }

  /** Reads what is new; true when there was more than time allowed. */
  #readLog(findings: Findings, hasTime: () => boolean): boolean {
    const { books } = this.#options;
    books.begin();
    try {
      let isBehind = false;
      for (const topic of books.topics()) isBehind = this.#readTopic(topic, findings, hasTime) || isBehind;
      return isBehind;
    } finally {
      books.end();
    }
  }

  #readTopic(topic: LiveTopic, findings: Findings, hasTime: () => boolean): boolean {
    const { books } = this.#options;
    this.#partitions = topic.partitions;
    let at = this.#read.get(topic.name);
    if (at === undefined) {
      // What lies in the log at the start is the business of `waybill audit`.
      this.#read.set(topic.name, topic.nextOffset);
      return false;
    }
    if (topic.nextOffset - at > behindMax) {
      this.#jump(topic);
      return false;
    }
    while (at < topic.nextOffset) {
      const chains = this.#chainsOf(topic, findings);
      const next = books.chunk(topic, at, (message) => this.#take(message, chains, findings));
      at = next ?? topic.nextOffset;
      this.#read.set(topic.name, at);
      if (!hasTime()) break;
    }
    return at < topic.nextOffset;
  }

  /** Gives up what it cannot keep up with, and whatever it knew that rests on having seen everything. */
  #jump({ name, nextOffset }: LiveTopic): void {
    this.skipped += nextOffset - this.#read.get(name)!;
    this.#read.set(name, nextOffset);
    this.#chains.delete(name);
    if (name === topics.stock.name) {
      this.#stock = new StockLedger(true, true);
      this.#skus.clear();
    }
    for (const recent of this.#recent.values()) recent.word = 0;
    for (const [id, suspect] of this.#suspects) this.#suspects.set(id, { ...suspect, word: 0 });
  }

  #chainsOf(topic: LiveTopic, findings: Findings): Chains {
    let chains = this.#chains.get(topic.name);
    if (chains === undefined) {
      // It may begin in the middle of a chain.
      const none: readonly number[] = [];
      const facts = { ...topic, isExact: true, isCut: true, cutMs: undefined, firstOffsets: none, nextOffsets: none };
      this.#chains.set(topic.name, (chains = new Chains(facts, { positions: [], lanes: [], confirmed: [] }, findings)));
    }
    chains.findings = findings;
    return chains;
  }

  #take(message: LogMessage, chains: Chains, findings: Findings): void {
    chains.take(message);
    if (message.malformed) return;
    if (message.topic === topics.stock.name) {
      for (const sku of this.#stock.take(message, findings)) this.#skus.add(sku);
    }
    const meaning = meaningOf(message.type);
    if (meaning !== undefined) this.#changed(message, meaning, findings);
  }

  #changed(message: LogMessage, meaning: Meaning, findings: Findings): void {
    const id = message.subject;
    const word = toldAfter(this.#recent.get(id)?.word ?? 0, message, meaning, Infinity, findings);
    const dueMs = this.#options.nowMs() + settleMs;
    // The latest change stands last, so that the first is due first.
    this.#recent.delete(id);
    if (this.#recent.size >= recentMax) this.passedBy += 1;
    else this.#recent.set(id, { word, dueMs });
  }

  #checkGateway(findings: Findings): void {
    const ledger = this.#options.ledger();
    if (ledger === undefined) return;
    if (this.#lastOperation < 0) this.#lastOperation = ledger.lastN();
    for (const { n, key, atMs, sharing, difference } of ledger.operations(this.#lastOperation, operationsAtOnce)) {
      this.#lastOperation = n;
      findings.checked(2);
      findings.checked(7);
      const at = { where: `gateway: operation ${n}`, sinceMs: atMs };
      const remedy = "Give back at the gateway what was done twice.";
      if (sharing > 1) findings.breach({ law: 2, what: `${sharing} operations share the key ${key}.`, ...at, remedy });
      if (difference !== 0) {
        const what = `The debits and credits of an operation differ by ${difference}.`;
        findings.breach({ law: 7, what, ...at, remedy: "Ask the gateway." });
      }
    }
  }

  /** Compares one SKU that moved with its movements; false when there is none, or the log is not read to its end. */
  #nextSku(findings: Findings, isBehind: boolean): boolean {
    const [sku] = this.#skus;
    if (sku === undefined || isBehind) return false;
    const { books } = this.#options;
    books.begin();
    try {
      // In this very moment the movements must be known up to their end.
      const topic = books.topics().find(({ name }) => name === topics.stock.name);
      if (topic === undefined || this.#read.get(topic.name) !== topic.nextOffset) return false;
      this.#skus.delete(sku);
      const stock = books.stock(sku);
      const shelf = this.#stock.shelves.get(sku);
      const own = new Findings();
      // Reservations are added up by `waybill audit`; here movements stand for them.
      if (stock !== undefined) checkSku({ sku, stock, shelf, held: stock.reserved, isCut: true }, own);
      findings.checked(4);
      this.#open.set(`SKU ${sku}`, own.kept);
      return true;
    } finally {
      books.end();
    }
  }

  /** Orders to be looked at now: suspects, those that changed a while ago, then the next of all. */
  *#dueOrders(hasTime: () => boolean): Generator<string> {
    const nowMs = this.#options.nowMs();
    for (const id of this.#suspects.keys()) {
      if (!hasTime()) return;
      yield id;
    }
    if (nowMs - this.#openAtMs >= openEveryMs) {
      this.#openAtMs = nowMs;
      yield* this.#open.orders();
    }
    for (const [id, { dueMs }] of this.#recent) {
      if (dueMs > nowMs || !hasTime()) break;
      yield id;
      this.#recent.delete(id);
    }
    if (!hasTime() || this.#isRolled) return;
    if (this.#rollingAfter === "") this.#rollingSince = this.#version;
    const page = this.#options.books.orderIds(this.#rollingAfter, rollingPage);
    for (const id of page) {
      if (!hasTime()) return;
      this.#rollingAfter = id;
      if (!this.#recent.has(id)) yield id;
    }
    if (page.length === rollingPage) return;
    this.#rollingAfter = "";
    // What changed behind its back is looked at in the next round.
    this.#isRolled = this.#rollingSince === this.#version;
  }

  #checkOrder(id: string, totals: Findings): void {
    const { books } = this.#options;
    // The gateway first: whatever it has done by now, the shop knows at least to have asked for.
    const payments = this.#options.ledger()?.payments(id);
    books.begin();
    try {
      const live = books.order(id, this.#partitions);
      const findings = new Findings();
      checkLive(live, payments, this.#toldOf(id), findings);
      for (const { law, checked } of findings.results()) totals.checked(law, checked);
      this.#judge(live, findings.kept);
    } finally {
      books.end();
    }
  }

  /** What the log says of an order; 0 when it was not read up to this very moment. */
  #toldOf(id: string): number {
    const known = this.#recent.get(id)?.word ?? this.#suspects.get(id)?.word ?? 0;
    if (known === 0) return 0;
    const topic = this.#options.books.topics().find(({ name }) => name === topics.orders.name);
    return topic !== undefined && this.#read.get(topic.name) === topic.nextOffset ? known : 0;
  }

  /** A breach counts when nothing changed until everything that was on its way had been read. */
  #judge(live: LiveOrder, breaches: readonly Breach[]): void {
    const { orderId, versions } = live;
    const place = `order ${orderId}`;
    if (breaches.length === 0) {
      this.#suspects.delete(orderId);
      this.#open.set(place, []);
      return;
    }
    const suspect = this.#suspects.get(orderId);
    if (suspect === undefined || suspect.versions !== versions) {
      if (this.#open.has(place)) return;
      const word = this.#recent.get(orderId)?.word ?? suspect?.word ?? 0;
      this.#suspects.set(orderId, { versions, word, ends: this.#endsOf(orderId) });
      return;
    }
    if (!this.#isRead(orderId, suspect.ends)) return;
    this.#suspects.delete(orderId);
    this.#open.set(place, breaches);
  }

  #endsOf(orderId: string): ReadonlyMap<string, number> {
    const partition = partitionOf(orderId, this.#partitions);
    return new Map(this.#options.books.topics().map(({ name, ends }) => [name, ends[partition] ?? 0]));
  }

  #isRead(orderId: string, ends: ReadonlyMap<string, number>): boolean {
    const positions = this.#options.books.positions(partitionOf(orderId, this.#partitions));
    return positions.every(({ topic, nextOffset }) => nextOffset >= (ends.get(topic) ?? 0));
  }

  #stopped(books: LiveBooks): void {
    const stopped = books.stoppedLanes();
    const breaches = stopped.map(({ service, lane, stopped: why }): Breach => ({
      law: 8,
      what: `Lane ${service}/${lane} has stopped: ${why}`,
      where: `${service}/${lane}`,
      sinceMs: undefined,
      remedy: "Do what its error says, and let it run again.",
    }));
    this.#open.set("lanes", breaches);
  }

  /** Takes over what was counted, and breaches of the log itself, which stay. */
  #settle(findings: Findings): void {
    const atMs = this.#options.nowMs();
    for (const { law, checked } of findings.results()) this.#open.checked(law, checked, atMs);
    for (const breach of findings.kept) this.#open.set(`${breach.law} ${breach.where}`, [breach]);
  }
}
