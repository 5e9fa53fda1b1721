/** Characters of a text, from one on and before another. */
export interface PartOfText {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** A message of a log, as laws look at it. One object is used for all messages of a reading: take what you keep. */
export interface LogMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Where the subject stands, for whoever needs its characters and not a text of its own. */
  readonly subjectAt: PartOfText;
  readonly key: string;
  readonly atMs: number;
  /** Undefined for a message from outside. */
  readonly source: string | undefined;
  readonly n: number;
  readonly prev: number;
  /** Bytes that are no message. */
  readonly malformed: boolean;
  /** The body as JSON text. */
  body(): string;
}

/** How far a service has read a partition, and what it took of each source. */
export interface ReaderPosition {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly lastOffset: number | undefined;
  readonly lastId: string | undefined;
  readonly marks: Readonly<Record<string, number>>;
}

export interface LaneFacts {
  readonly service: string;
  readonly lane: number;
  readonly source: string;
  readonly nextN: number;
  readonly timeMs: number;
  readonly stopped: string | undefined;
}

export interface TopicFacts {
  readonly name: string;
  readonly partitions: number;
  /** Retention has let messages go: what lies before the first that are kept cannot be told. */
  readonly isCut: boolean;
  /** Per partition the first offset that is kept. */
  readonly firstOffsets: readonly number[];
  /** Up to when messages may have been let go, in milliseconds; undefined when all are kept. */
  readonly cutMs: number | undefined;
  /** Per partition one past the last offset of this reading. */
  readonly nextOffsets: readonly number[];
  /**
   * Whether the log and the states are of the very same moment, as in one file. A broker's log is read later, holds repeats,
   * and may hold what was said again behind what came in between.
   */
  readonly isExact: boolean;
}

/** How far a broker has confirmed a lane's messages: up to there its log must hold them. */
export interface Confirmed {
  readonly topic: string;
  readonly partition: number;
  readonly source: string;
  readonly n: number;
}

export interface StateText {
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

/** Ids from one on and before another; undefined: no bound. */
export interface IdRange {
  readonly from?: string | undefined;
  readonly before?: string | undefined;
}

/** A row that waits for an entity: a timer, a call to the outside, a parked key. */
export interface Waiting {
  readonly service: string;
  readonly key: string;
  readonly name: string;
  /** When it is due; null when it waits for a person. */
  readonly dueMs: number | null;
}

/**
 * What lies in a store and its logs at one moment. Everything is read in the order of its keys and a page at a time, so
 * that an audit takes no more memory for more orders.
 */
export interface Books extends AsyncDisposable {
  /** The same for books of the same moment, and another for any other. */
  readonly moment: string;
  readonly topics: readonly TopicFacts[];
  readonly lanes: readonly LaneFacts[];
  readonly positions: readonly ReaderPosition[];
  /** Empty where log and states are one file. */
  readonly confirmed: readonly Confirmed[];
  /** How many states of a kind there are. */
  count(service: string, kind: string): Promise<number>;
  /** The id of a kind's state that stands behind so many others. */
  idAt(service: string, kind: string, at: number): Promise<string | undefined>;
  /** The states of a kind, ids rising by their code points. */
  states(service: string, kind: string, range?: IdRange): AsyncIterable<readonly StateText[]>;
  /** The ids of the states of a kind, rising likewise: much quicker than with what lies under them. */
  ids(service: string, kind: string): AsyncIterable<readonly string[]>;
  timers(): AsyncIterable<readonly Waiting[]>;
  effects(): AsyncIterable<readonly Waiting[]>;
  parked(): AsyncIterable<readonly Waiting[]>;
  /** Ids that more than one call to the outside has, with how many have it. */
  sharedEffectIds(): Promise<readonly { readonly id: string; readonly count: number }[]>;
  /** Calls back for each message of a topic, in the order of the log. */
  messages(topic: TopicFacts, visit: (message: LogMessage) => void): Promise<void>;
}
