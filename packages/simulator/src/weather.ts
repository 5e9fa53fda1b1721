/** How it is between processes, database and logs; consulted at each call, and changed while the simulation runs. Chances from 0 to 1. */
export interface Weather {
  /** A commit that is made, and whose caller is told that nobody knows. */
  commitAnswerLost: number;
  /** A commit that is not made, and whose caller is told that nobody knows. */
  commitLost: number;
  /** A commit whose caller is told that nobody knows, and that is made only then, some time later. */
  commitLate: number;
  /** Any other call of the database that is not made, and fails. */
  callFails: number;
  /** Any other call of the database that is made, and fails all the same. */
  callAnswerLost: number;
  /** An append that is not made. */
  appendFails: number;
  /** An append that is made, and its answer lost. */
  appendAnswerLost: number;
  /** An append of which only the first messages are stored. */
  appendPart: number;
  /** An append that is reported as failed, and made some time later. */
  appendLate: number;
  /** A fetch or another question to the logs that fails. */
  fetchFails: number;
  /** A call that takes long, and how long at most, in milliseconds. */
  slow: number;
  slowMsMax: number;
  /** Topics that take no messages at all. */
  readonly down: Set<string>;
  /** Topics that are not read from: nothing comes, and no end is reached. */
  readonly stalled: Set<string>;
}

export type Chances = { -readonly [Name in keyof Weather as Weather[Name] extends number ? Name : never]: number };

/** Nothing goes wrong. */
export function calm(): Weather {
  return {
    commitAnswerLost: 0,
    commitLost: 0,
    commitLate: 0,
    callFails: 0,
    callAnswerLost: 0,
    appendFails: 0,
    appendAnswerLost: 0,
    appendPart: 0,
    appendLate: 0,
    fetchFails: 0,
    slow: 0.02,
    slowMsMax: 200,
    down: new Set(),
    stalled: new Set(),
  };
}
