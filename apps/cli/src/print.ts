/** Prints a value for scripts, or a text for people. */
export function print(json: true | undefined, value: unknown, text: () => string): void {
  process.stdout.write(`${json === true ? JSON.stringify(value, undefined, 2) : text()}\n`);
}

/** A whole number for people. */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}
