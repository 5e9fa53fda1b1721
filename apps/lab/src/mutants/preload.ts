// Loaded before a program (NODE_OPTIONS=--import), it switches on the mutant that WAYBILL_MUTANT names, in its threads and children too.
import { mutants } from "./list.ts";
import { switchOn } from "./patch.ts";

const mutant = mutants.find(({ name }) => name === process.env["WAYBILL_MUTANT"]);
if (mutant !== undefined) switchOn(mutant);
