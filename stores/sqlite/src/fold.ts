/** What one wave does to one row: its last value, or that it is deleted (`row` undefined). */
export interface Change<Key, Row extends Key> {
  readonly key: Key;
  row: Row | undefined;
  /** The row was made in this wave: no earlier wave and no file knows it. */
  fresh: boolean;
}

/** The rows of one service, by their key within it. */
type Group<Key, Row extends Key> = Map<string, Change<Key, Row>>;

/**
 * The changes of one table in one wave, each row once however often it changed. A row that was made and deleted in the
 * same wave leaves no trace.
 */
export class Fold<Key, Row extends Key> {
  readonly groups = new Map<string, Group<Key, Row>>();

  group(service: string): Group<Key, Row> {
    let group = this.groups.get(service);
    if (group === undefined) this.groups.set(service, (group = new Map()));
    return group;
  }

  /** A row that may be known already. */
  set(service: string, name: string, row: Row): void {
    this.#put(service, name, row, false);
  }

  /** A row that surely was never there before. */
  add(service: string, name: string, row: Row): void {
    this.#put(service, name, row, true);
  }

  #put(service: string, name: string, row: Row, fresh: boolean): void {
    const group = this.group(service);
    const change = group.get(name);
    if (change === undefined) group.set(name, { key: row, row, fresh });
    else change.row = row;
  }

  delete(service: string, name: string, key: Key): void {
    const group = this.group(service);
    const change = group.get(name);
    if (change === undefined) group.set(name, { key, row: undefined, fresh: false });
    else if (change.fresh) group.delete(name);
    else change.row = undefined;
  }
}

/** The same table in the waves that are not durable yet, the newest first: what a read puts over the file. */
export class Overlay<Key, Row extends Key> {
  readonly #folds: () => readonly Fold<Key, Row>[];

  constructor(folds: () => readonly Fold<Key, Row>[]) {
    this.#folds = folds;
  }

  /** The last change of a row; undefined when only the file can tell. */
  get(service: string, name: string): Change<Key, Row> | undefined {
    for (const fold of this.#folds()) {
      const change = fold.groups.get(service)?.get(name);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  /** The rows of a service that are here, in no order. */
  rows(service: string): Row[] {
    const rows: Row[] = [];
    const newer = new Set<string>();
    const folds = this.#folds();
    for (const [index, fold] of folds.entries()) {
      for (const [name, change] of fold.groups.get(service) ?? []) {
        if (change.row !== undefined && !newer.has(name)) rows.push(change.row);
        if (index < folds.length - 1) newer.add(name);
      }
    }
    return rows;
  }
}
