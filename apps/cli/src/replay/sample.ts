import { fileURLToPath } from "node:url";

/** The month of real invoices that comes with the program. */
export const sampleFile = fileURLToPath(new URL("../../sample/online-retail-2010-12.csv.gz", import.meta.url));

/** The file that a command's FILE means: `sample` is the one above, anything else a path. */
export function fileOf(argument: string): string {
  return argument === "sample" ? sampleFile : argument;
}
