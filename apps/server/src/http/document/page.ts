import type { JsonSchema } from "./json-schema.ts";

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: JsonSchema; example?: unknown }>> };
  readonly responses: Readonly<Record<string, { description: string; content?: Readonly<Record<string, unknown>> }>>;
}

/** An OpenAPI document of ours as a page for people: no scripts, nothing from elsewhere. */
export function documentPage(document: JsonSchema): string {
  const { info, paths } = document as {
    info: { title: string; version: string; description: string };
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags[0]!);
  const sections = Array.from(
    byTag,
    ([tag, ofTag]) => `<h2 id="${text(tag)}">${text(tag)}</h2>${ofTag.map(shown).join("")}`,
  );
  const links = Array.from(byTag.keys(), (tag) => `<a href="#${text(tag)}">${text(tag)}</a>`).join(" · ");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)} ${text(info.version)}: HTTP interface</title><link rel="stylesheet" href="/docs/style.css"></head>
<body><header><h1>${text(info.title)} <small>${text(info.version)}</small></h1><p>${text(info.description)}
The same for programs: <a href="/openapi.json?pretty">openapi.json</a>.</p><nav>${links}</nav></header>
<main>${sections.join("\n")}</main></body></html>
`;
}

function shown({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { summary, description, parameters, requestBody, responses } = operation;
  const body = Object.values(requestBody?.content ?? {})[0];
  return `<details><summary><b class="${text(method)}">${text(method.toUpperCase())}</b> <code>${text(path)}</code>
<span>${text(summary)}</span></summary>
${description === undefined ? "" : `<p>${text(description)}</p>`}
${
  parameters.length === 0
    ? ""
    : table(
        "Parameters",
        parameters.map((one) => [one.name, one.in, schemaText(one.schema)]),
      )
}
${body === undefined ? "" : `<h3>Body</h3>${body.example === undefined ? "" : pre(body.example)}<details><summary>Schema</summary>${pre(body.schema)}</details>`}
${table(
  "Answers",
  Object.entries(responses).map(([status, one]) => [
    status,
    Object.keys(one.content ?? {}).join(", "),
    one.description,
  ]),
)}
</details>`;
}

function schemaText({ type, description, pattern, enum: values, minimum, maximum }: JsonSchema): string {
  if (typeof description === "string") return description;
  if (Array.isArray(values)) return values.join(", ");
  const range = minimum === undefined && maximum === undefined ? "" : ` ${String(minimum)} to ${String(maximum)}`;
  return `${String(type)}${range}${typeof pattern === "string" ? ` ${pattern}` : ""}`;
}

function table(head: string, rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${text(cell)}</td>`).join("")}</tr>`);
  return `<h3>${head}</h3><table>${lines.join("")}</table>`;
}

function pre(value: unknown): string {
  return `<pre>${text(JSON.stringify(value, undefined, 2))}</pre>`;
}

const marks: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text that is no markup. */
function text(raw: string): string {
  return raw.replace(/[&<>"']/g, (mark) => marks[mark]!);
}

export const documentStyle = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 small { font-size: 1rem; font-weight: 400; } h2 { margin-top: 2.5rem; } h3 { margin: 1rem 0 .3rem; font-size: 1rem; }
details { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; margin: .5rem 0; }
summary { cursor: pointer; } summary b { display: inline-block; min-width: 4rem; }
summary span { opacity: .75; } .get { color: #17803d; } .post { color: #1d5fd1; } .put { color: #a65c00; } .delete { color: #c02626; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; }
pre { overflow: auto; padding: .6rem; border: 1px solid var(--line); border-radius: .4rem; font-size: .85rem; }
code { font-size: .95em; }
`;
