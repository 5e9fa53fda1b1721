/** From each status the ones that may follow; a status that nothing follows is the end. */
export type Transitions = Readonly<Record<string, readonly string[]>>;

/** Throws unless the table lets `from` become `to`. To stay as one is, is always allowed. */
export function assertTransition(table: Transitions, from: string, to: string): void {
  if (from === to || table[from]?.includes(to) === true) return;
  throw new Error(`What is ${from} cannot become ${to}.`);
}
