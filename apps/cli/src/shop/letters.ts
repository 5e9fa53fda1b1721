import { lettersLost, type LetterView } from "@waybill/server";
import { table } from "../table.ts";
import { refused, type Found } from "./found.ts";

const pageMax = 200;
/** So many are shown at most: more of them are one trouble, which the first ones tell as well. */
const shownMax = 10_000;

/** Letters that did not go out, the newest first, as the server says, or what it runs on when no server can be asked. */
export async function readLetters(found: Found): Promise<readonly LetterView[]> {
  const letters = (await told(found)) ?? (await stored(found));
  return letters.toSorted((a, b) => b.at.localeCompare(a.at));
}

async function told(found: Found): Promise<readonly LetterView[] | undefined> {
  const letters: LetterView[] = [];
  for (let next: string | undefined = `/letters?limit=${pageMax}`; next !== undefined && letters.length < shownMax;) {
    const page = (await found.get(next).catch(refused)) as { letters: LetterView[]; next?: string } | undefined;
    if (page === undefined) return undefined;
    letters.push(...page.letters);
    next = page.next;
  }
  return letters;
}

async function stored(found: Found): Promise<readonly LetterView[]> {
  await using engine = await found.open();
  const letters: LetterView[] = [];
  for (let after: string | undefined = ""; after !== undefined && letters.length < shownMax;) {
    const page: Awaited<ReturnType<typeof lettersLost>> = await lettersLost(engine.durable, after, pageMax);
    letters.push(...page.letters);
    after = page.after;
  }
  return letters;
}

export function lettersText(letters: readonly LetterView[]): string {
  if (letters.length === 0) return "Every letter has gone out, is on its way, or was dealt with.";
  const rows = letters.map(({ at, orderId, kind, to, outcome, reason }) => [
    at.slice(0, 19).replace("T", " "),
    orderId,
    kind,
    to,
    outcome,
    reason.slice(0, 120),
  ]);
  return table(["known since (UTC)", "order", "letter", "to", "outcome", "why"], rows, new Set());
}
