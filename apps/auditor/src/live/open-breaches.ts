import { allLaws, laws, type Breach, type Law } from "../laws.ts";

/** How one law stands while the shop runs. */
export interface AuditStatus {
  readonly law: Law;
  readonly name: string;
  /** How many things were checked since the start. */
  readonly checked: number;
  /** How many are wrong now. */
  readonly breaches: number;
  /** When something was last checked, in milliseconds; 0 before the first. */
  readonly lastAtMs: number;
}

const keptMax = 1_000;
const orderPrefix = "order ";

/** The breaches that are open now, by where they are; each is told once when it opens and once when it ends. */
export class OpenBreaches {
  readonly #byPlace = new Map<string, readonly Breach[]>();
  readonly #checked = new Map<Law, { count: number; lastAtMs: number }>();
  readonly #tell: (breach: Breach, isOpen: boolean) => void;

  constructor(tell: (breach: Breach, isOpen: boolean) => void) {
    this.#tell = tell;
    for (const law of allLaws) this.#checked.set(law, { count: 0, lastAtMs: 0 });
  }

  checked(law: Law, count: number, atMs: number): void {
    if (count === 0) return;
    const known = this.#checked.get(law)!;
    known.count += count;
    known.lastAtMs = atMs;
  }

  /** What is wrong at a place now, in place of what was. */
  set(place: string, breaches: readonly Breach[]): void {
    const before = this.#byPlace.get(place) ?? [];
    if (before.length === 0 && breaches.length === 0) return;
    if (breaches.length === 0) this.#byPlace.delete(place);
    else if (before.length > 0 || this.#byPlace.size < keptMax) this.#byPlace.set(place, breaches);
    else return;
    const isIn = (all: readonly Breach[], { law, what }: Breach) =>
      all.some((one) => one.law === law && one.what === what);
    for (const breach of before) if (!isIn(breaches, breach)) this.#tell(breach, false);
    for (const breach of breaches) if (!isIn(before, breach)) this.#tell(breach, true);
  }

  has(place: string): boolean {
    return this.#byPlace.has(place);
  }

  /** The ids of orders with open breaches, at most a hundred. */
  orders(): readonly string[] {
    const ids: string[] = [];
    for (const place of this.#byPlace.keys())
      if (place.startsWith(orderPrefix)) ids.push(place.slice(orderPrefix.length));
    return ids.slice(0, 100);
  }

  status(): readonly AuditStatus[] {
    const open = new Map<Law, number>();
    for (const { law } of this.all()) open.set(law, (open.get(law) ?? 0) + 1);
    return allLaws.map((law) => {
      const { count, lastAtMs } = this.#checked.get(law)!;
      return { law, name: laws[law], checked: count, breaches: open.get(law) ?? 0, lastAtMs };
    });
  }

  *all(): Generator<Breach> {
    for (const breaches of this.#byPlace.values()) yield* breaches;
  }
}
