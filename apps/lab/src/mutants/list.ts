import { chainMutants } from "./chain-mutants.ts";
import { commitMutants } from "./commit-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { shopMutants } from "./shop-mutants.ts";
import { timeMutants } from "./time-mutants.ts";

export const mutants: readonly Mutant[] = [...chainMutants, ...timeMutants, ...commitMutants, ...shopMutants];
