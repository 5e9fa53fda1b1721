import { identifierOf } from "./service-files.ts";

const lengthMax = 30;
const kebab = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** What a new service's code calls other things by. */
const usedInCode =
  "completed counted event expect held id next order-completed out service specification state tally test topic told type when";

/** Words of the language that cannot name a function. */
const keywords =
  "arguments async await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield";

const reserved: ReadonlyMap<string, string> = new Map([
  ...usedInCode.split(" ").map((name) => [name, "the code of a service uses that word"] as const),
  ...keywords.split(" ").map((name) => [name, "that is a word of the language"] as const),
  ["api", "`--only api` is the HTTP interface"],
  ...["sample", "coverage"].map((name) => [name, "folders of that name are passed over by the tests"] as const),
  ...["manager", "util", "misc", "common", "abstract", "base"].flatMap((name) =>
    [name, `${name}s`].map((word) => [word, "that says nothing of what it does"] as const),
  ),
]);

/** What a new service must differ from. */
export interface Taken {
  /** The services that the shop has, and the folders of services. */
  readonly services: readonly string[];
  readonly topics: readonly string[];
  readonly messages: readonly string[];
}

/** Why a service cannot have this name; undefined when it can. */
export function nameProblem(name: string, taken: Taken): string | undefined {
  if (!kebab.test(name)) return `A service's name is in lower-case words with hyphens, such as ${suggestion(name)}.`;
  if (name.length > lengthMax) return `A service's name has at most ${lengthMax} characters; this has ${name.length}.`;
  const why = reserved.get(name) ?? vague(name);
  if (why !== undefined) return `A service cannot be called ${name}: ${why}.`;
  if (taken.services.some((other) => identifierOf(other) === identifierOf(name)))
    return `There is a service ${name} already.`;
  if (taken.topics.includes(name)) return `There is a topic ${name} already, and a service gets a topic of its name.`;
  if (taken.messages.includes(`${name}.counted`)) return `There is a message ${name}.counted already.`;
  return undefined;
}

/** A test of the repository holds every file's name to this. */
function vague(name: string): string | undefined {
  const last = name.split("-").at(-1)!;
  const why = reserved.get(last);
  return why?.startsWith("that says nothing") === true ? why : undefined;
}

function suggestion(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return kebab.test(words) ? words : "loyalty";
}
