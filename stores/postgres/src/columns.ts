import { BinaryArray, type ElementType } from "./arrays.ts";

/**
 * What a commit hands over of each table: parallel arrays, one a column, in the order of the function's parameters. A
 * change here is another function.
 */
export const columns = {
  position: {
    topic: "text",
    partition: "int",
    log: "text",
    next: "bigint",
    last: "bigint",
    last_id: "text",
    marks: "text",
  },
  made: { kind: "text", id: "text", home: "int", schema: "int", body: "text" },
  changed: { kind: "text", id: "text", version: "bigint", home: "int", schema: "int", body: "text" },
  deleted: { kind: "text", id: "text", version: "bigint" },
  outbox: { topic: "text", partition: "int", last: "bigint", first: "bigint", count: "int", records: "bytea" },
  sent: { topic: "text", partition: "int", n: "bigint", log: "text", last: "bigint" },
  timer: {
    partition: "int",
    key: "text",
    name: "text",
    due: "float8",
    schema: "int",
    body: "text",
    correlation: "text",
    causation: "text",
  },
  cleared: { partition: "int", key: "text", name: "text" },
  done: { partition: "int", key: "text", queue: "text", seq: "bigint" },
  effect: {
    partition: "int",
    key: "text",
    queue: "text",
    seq: "bigint",
    first: "boolean",
    id: "text",
    name: "text",
    schema: "int",
    input: "text",
    attempts: "int",
    first_ms: "float8",
    due: "float8",
    error: "text",
    correlation: "text",
    causation: "text",
    traceparent: "text",
  },
  seen: { source: "text", id: "text", at: "float8" },
} as const satisfies Record<string, Record<string, ElementType>>;

export type Group = keyof typeof columns;

/** An array for each column. */
export type Arrays = {
  readonly [G in Group]: { readonly [Column in keyof (typeof columns)[G]]: BinaryArray };
};

export function emptyArrays(): Arrays {
  const groups = Object.entries(columns).map(([group, types]) => {
    const arrays = Object.entries(types).map(([name, type]) => [name, new BinaryArray(type)]);
    return [group, Object.fromEntries(arrays)];
  });
  return Object.fromEntries(groups) as Arrays;
}
