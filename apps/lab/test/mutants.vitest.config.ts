import { defineConfig } from "vitest/config";
import { mutants } from "../src/mutants/list.ts";
import { edited, editsByFile } from "../src/mutants/patch.ts";

const mutant = mutants.find(({ name }) => name === process.env["WAYBILL_MUTANT"]);
if (mutant === undefined) throw new Error("WAYBILL_MUTANT names no mutant.");
const byFile = editsByFile(mutant);

/** The tests of the sources with one mutant's bug in them. */
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    testTimeout: 60_000,
    // What is kept of a module knows nothing of the bug that was switched on, and neither may another run.
    fsModuleCache: false,
  },
  plugins: [
    {
      name: "waybill-mutant",
      enforce: "pre",
      transform(code, id) {
        const edits = byFile.get(id.split("?")[0]!);
        return edits === undefined ? undefined : { code: edited(mutant, edits, code), map: null };
      },
    },
  ],
});
