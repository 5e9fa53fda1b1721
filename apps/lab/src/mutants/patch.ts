import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Edit, Mutant } from "./mutant.ts";

export const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** The file's text with the edits made. Throws, naming mutant and file, when a text is not there exactly once. */
export function edited({ name }: Mutant, edits: readonly Edit[], text: string): string {
  let changed = text;
  for (const { file, find, replace } of edits) {
    const times = changed.split(find).length - 1;
    if (times !== 1) {
      throw new Error(
        `Mutant "${name}": its text stands ${times} times in ${file}, not once. The code has changed: look at the mutant again.\n${find}`,
      );
    }
    changed = changed.replace(find, () => replace);
  }
  return changed;
}

/** By the path of each file that it changes, its edits there. */
export function editsByFile(mutant: Mutant): Map<string, Edit[]> {
  return Map.groupBy(mutant.edits, ({ file }) => root + file);
}

/** Throws when the mutant no longer fits the sources. */
export function tryEdits(mutant: Mutant): void {
  for (const [path, edits] of editsByFile(mutant)) edited(mutant, edits, readFileSync(path, "utf8"));
}

/** From here on every file that is loaded has the mutant's bug. */
export function switchOn(mutant: Mutant): void {
  const byFile = editsByFile(mutant);
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const edits = url.startsWith("file:") ? byFile.get(fileURLToPath(url)) : undefined;
      if (edits === undefined) return loaded;
      const source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: edited(mutant, edits, source) };
    },
  });
}
