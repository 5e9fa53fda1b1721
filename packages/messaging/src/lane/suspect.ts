/**
 * How often processes must have died while they handled an input alone before it is set aside. One death may be chance:
 * the power, an operator, the system's want of memory. An order must not wait for a person because of that.
 */
export const deathsMax = 3;

/** An input that is handled alone, and the how-manieth time it is. Found after a death, so often it was there. */
export interface Suspect {
  readonly id: string;
  readonly deaths: number;
}

/** The suspect as a lane's row holds it: `2 the-input's-id`. */
export function suspectText({ id, deaths }: Suspect): string {
  return `${deaths} ${id}`;
}

/** The suspect of a lane's row. */
export function suspectIn(text: string | undefined): Suspect | undefined {
  if (text === undefined) return undefined;
  const end = text.indexOf(" ");
  return { id: text.slice(end + 1), deaths: Number(text.slice(0, end)) };
}

/** What the row said before a process named the suspect that it then survived. */
export function survivedBy(text: string | undefined): string | undefined {
  const suspect = suspectIn(text);
  if (suspect === undefined || suspect.deaths <= 1) return undefined;
  return suspectText({ id: suspect.id, deaths: suspect.deaths - 1 });
}
