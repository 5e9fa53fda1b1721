/** What can go wrong before anything is played. All are the caller's to mend; none is worth a retry. */
export const replayErrorCodes = {
  FILE_UNREADABLE: "The file cannot be opened, read or unpacked.",
  FILE_INVALID: "The file is not a list of invoice lines; the text names the line and the column.",
  OPTION_INVALID: "An option of the command has a value that means nothing.",
  REFERENCE_INVALID: "The reference file lacks an answer that the comparison needs.",
} as const;

export type ReplayErrorCode = keyof typeof replayErrorCodes;

export class ReplayError extends Error {
  override readonly name = "ReplayError";
  readonly code: ReplayErrorCode;

  constructor(code: ReplayErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
