/** One sorted stream of rows, a page at a time. */
class Stream<Row> {
  readonly #pages: AsyncIterator<readonly Row[]>;
  readonly #idOf: (row: Row) => string;
  #page: readonly Row[] = [];
  #at = 0;

  constructor(pages: AsyncIterable<readonly Row[]>, idOf: (row: Row) => string) {
    this.#pages = pages[Symbol.asyncIterator]();
    this.#idOf = idOf;
  }

  /** Whether `id` can be told without another page. */
  get isReady(): boolean {
    return this.#at < this.#page.length;
  }

  async fill(): Promise<void> {
    const { value, done } = await this.#pages.next();
    this.#page = done === true ? [] : value;
    this.#at = 0;
  }

  /** The id of the next row; undefined behind the last. */
  get id(): string | undefined {
    const row = this.#page[this.#at];
    return row === undefined ? undefined : this.#idOf(row);
  }

  take(): Row {
    return this.#page[this.#at++]!;
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}

/**
 * Goes through several streams that are sorted by id, all in step: calls back once for each id with the rows that each
 * stream has of it, in the order of the streams. Holds one page of each.
 */
export async function inStep<Row extends object>(
  streams: readonly { readonly pages: AsyncIterable<readonly Row[]>; readonly idOf: (row: Row) => string }[],
  visit: (id: string, rows: readonly (readonly Row[])[]) => void,
): Promise<void> {
  const open = streams.map(({ pages, idOf }) => new Stream(pages, idOf));
  try {
    for (const stream of open) await stream.fill();
    for (;;) {
      const id = least(open);
      if (id === undefined) return;
      const rows: Row[][] = [];
      for (const stream of open) {
        const own: Row[] = [];
        while (stream.id === id) {
          own.push(stream.take());
          if (!stream.isReady) await stream.fill();
        }
        rows.push(own);
      }
      visit(id, rows);
    }
  } finally {
    for (const stream of open) await stream.close();
  }
}

function least<Row extends object>(streams: readonly Stream<Row>[]): string | undefined {
  let first: string | undefined;
  for (const { id } of streams) if (id !== undefined && (first === undefined || id < first)) first = id;
  return first;
}
