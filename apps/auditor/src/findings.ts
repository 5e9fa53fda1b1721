import { allLaws, laws, type Breach, type Law } from "./laws.ts";

/** What an audit found of one law. */
export interface LawResult {
  readonly law: Law;
  readonly name: string;
  /** How many things were checked: messages, orders, SKUs, operations. */
  readonly checked: number;
  readonly breaches: number;
  /** Things that are on their way, or wait for a person who knows of it: not breaches. */
  readonly underWay: number;
  /** Why it could not be checked; undefined when it was. */
  readonly notChecked?: string;
}

interface Tally {
  checked: number;
  breaches: number;
  underWay: number;
  notChecked: string | undefined;
}

/** Collects what an audit finds; of the breaches of each law only the first few are kept, all are counted. */
export class Findings {
  readonly kept: Breach[] = [];
  /** By the law's number. */
  readonly #tallies: Tally[] = [];
  readonly #keptPerLaw: number;

  constructor(keptPerLaw = 200) {
    this.#keptPerLaw = keptPerLaw;
    for (const law of allLaws) {
      this.#tallies[law] = { checked: 0, breaches: 0, underWay: 0, notChecked: undefined };
    }
  }

  #of(law: Law): Tally {
    return this.#tallies[law]!;
  }

  checked(law: Law, count = 1): void {
    this.#of(law).checked += count;
  }

  underWay(law: Law, count = 1): void {
    this.#of(law).underWay += count;
  }

  breach(breach: Breach): void {
    const tally = this.#of(breach.law);
    tally.breaches += 1;
    if (tally.breaches <= this.#keptPerLaw) this.kept.push(breach);
  }

  notChecked(law: Law, why: string): void {
    this.#of(law).notChecked ??= why;
  }

  /** Takes over what another one has found. */
  add(results: readonly LawResult[], kept: readonly Breach[]): void {
    for (const { law, checked, breaches, underWay } of results) {
      const tally = this.#of(law);
      tally.checked += checked;
      tally.underWay += underWay;
      const own = kept.filter((breach) => breach.law === law);
      for (const breach of own) this.breach(breach);
      tally.breaches += breaches - own.length;
    }
  }

  results(): readonly LawResult[] {
    return allLaws.map((law) => {
      const { notChecked, ...counts } = this.#of(law);
      return { law, name: laws[law], ...counts, ...(notChecked === undefined ? {} : { notChecked }) };
    });
  }
}
