import { parseSync, type Node } from "oxc-parser";

/** One import of a file, in whatever form it is written. */
export interface Import {
  /** What stands between the quotes. */
  readonly from: string;
  /** The names taken from it; empty for a whole module. */
  readonly names: readonly string[];
}

export interface Parsed {
  readonly imports: readonly Import[];
  /** What the file asks of the world by itself: `Date.now`, `new Date()`, `setTimeout`, … */
  readonly asks: readonly string[];
}

type Loose = Node & Readonly<Record<string, unknown>>;

/** Globals through which code learns the time, waits, rolls dice or reaches out. */
const globals: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "process",
  "performance",
  "crypto",
  "fetch",
  "WebSocket",
  "EventSource",
  "console",
  "globalThis",
  "global",
  "require",
  "eval",
]);
/** Members of otherwise harmless globals that do so. */
const members: ReadonlySet<string> = new Set(["Date.now", "Math.random", "AbortSignal.timeout", "Temporal.Now"]);

/** Reads a source file. Throws when it does not parse. */
export function parse(path: string, text: string): Parsed {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]!.message}`);
  const imports: Import[] = [];
  const asks: string[] = [];
  const itsOwn = new Set<string>();
  walk(program as unknown as Loose, undefined, "", (node, parent, key) => {
    const imported = importOf(node);
    if (imported !== undefined) imports.push(imported);
    if ((node.type as string) === "VariableDeclarator") itsOwn.add(nameOf(node["id"]));
    const asked = askOf(node, parent, key);
    if (asked !== undefined) asks.push(asked);
  });
  // A variable that only has the name of a global asks for nothing.
  return { imports, asks: asks.filter((asked) => !itsOwn.has(asked)) };
}

type Visit = (node: Loose, parent: Loose | undefined, key: string) => void;

function walk(node: Loose, parent: Loose | undefined, key: string, visit: Visit): void {
  visit(node, parent, key);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, node, name, visit);
    }
  }
}

function isNode(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function importOf(node: Loose): Import | undefined {
  switch (node.type as string) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return isNode(node["source"]) ? { from: literal(node["source"])!, names: namesOf(node) } : undefined;
    case "ImportExpression":
    case "TSImportType":
      return whole(node["source"] ?? node["argument"]);
    case "NewExpression":
      return isModuleUrl(node) ? whole((node["arguments"] as Loose[])[0]) : undefined;
    default:
      return undefined;
  }
}

/** `new URL("./writer.ts", import.meta.url)`: how a thread's file is named. */
function isModuleUrl(node: Loose): boolean {
  const [file, base] = node["arguments"] as Loose[];
  const isUrl = (node["callee"] as Loose)["name"] === "URL" && base?.["type"] === "MemberExpression";
  return isUrl && /^\.{1,2}\/.*\.[tj]s$/.test(literal(file) ?? "");
}

function whole(source: unknown): Import | undefined {
  const from = literal(source);
  return from === undefined ? undefined : { from, names: [] };
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  const { value } = node as { value?: unknown };
  if (typeof value === "string") return value;
  return isNode(node["literal"]) ? literal(node["literal"]) : undefined;
}

function namesOf(node: Loose): string[] {
  const specifiers = (node["specifiers"] ?? []) as Loose[];
  return specifiers.map((specifier) => {
    const name = (specifier["imported"] ?? specifier["local"]) as Loose;
    return String(name["name"] ?? name["value"]);
  });
}

function askOf(node: Loose, parent: Loose | undefined, key: string): string | undefined {
  const type = node.type as string;
  if (type === "Identifier") {
    const name = String(node["name"]);
    return globals.has(name) && isReference(parent, key) ? name : undefined;
  }
  if (type === "MemberExpression") {
    const name = `${nameOf(node["object"])}.${memberName(node)}`;
    return members.has(name) ? name : undefined;
  }
  const isDate = nameOf(node["callee"]) === "Date";
  if (type === "CallExpression" && isDate) return "Date()";
  if (type === "NewExpression" && isDate && (node["arguments"] as unknown[]).length === 0) return "new Date()";
  return undefined;
}

function nameOf(node: unknown): string {
  return isNode(node) && (node.type as string) === "Identifier" ? String(node["name"]) : "";
}

function memberName(node: Loose): string {
  return node["computed"] === true ? (literal(node["property"]) ?? "") : nameOf(node["property"]);
}

/** Whether an identifier is used, and does not only name a member or a property. */
function isReference(parent: Loose | undefined, key: string): boolean {
  const type = (parent?.type ?? "") as string;
  if (parent?.["computed"] === true) return true;
  if (type === "MemberExpression") return key !== "property";
  if (type === "Property") return key !== "key" || parent?.["shorthand"] === true;
  return !/^(?:TSPropertySignature|TSMethodSignature|PropertyDefinition|MethodDefinition|TSQualifiedName)$/.test(type);
}
