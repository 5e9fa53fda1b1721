import Table from "cli-table3";

const edges = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"];
const lines = ["left", "left-mid", "mid", "mid-mid", "right", "right-mid"];
const plain = Object.fromEntries([...edges, ...lines].map((part) => [part, ""]));

/** Rows under a head, in columns, without lines or colours. Columns of `right` stand at the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string {
  const drawn = new Table({
    ...(head.some((name) => name !== "") ? { head: [...head] } : {}),
    chars: { ...plain, middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (right.has(column) ? "right" : "left")),
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split("\n")
    .map((line) => `  ${line}`.trimEnd())
    .join("\n");
}
