/** A change of one source file's text. The text to find must be there exactly once. */
export interface Edit {
  /** From the repository's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug that systems of this kind really had, as edits of the sources that are made while they are loaded, and never on the disk. */
export interface Mutant {
  readonly name: string;
  /** The bug, in words. */
  readonly bug: string;
  readonly edits: readonly Edit[];
  /** The test files that must catch it, for what no run of the whole shop can show; undefined: the simulator must. */
  readonly tests?: readonly string[];
}
