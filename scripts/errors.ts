// Writes the tables of docs/errors.md: `npm run docs`. Every code of the core must be here, or this does not compile.
import { WaybillError, type ErrorCode } from "@waybill/messaging";

interface Meaning {
  readonly happened: string;
  readonly todo: string;
}

type Meanings<C extends ErrorCode> = Readonly<Record<C, Meaning>>;

const wrong = {
  CONTRACT_INVALID: {
    happened:
      "A topic, message, state, timer, effect or service is declared in a way that cannot work, or a service has another number of lanes than its database says.",
    todo: "The text names the declaration. Mend it; nothing has started.",
  },
  MESSAGE_INVALID: {
    happened: "A body does not fit its message's schema. `details.issues` lists each field with the reason.",
    todo: "At a door: mend the request. From a handler: the input is parked; mend the rule and deploy, and it is tried again.",
  },
  MESSAGE_UNREADABLE: {
    happened:
      "The bytes of a record are not an envelope with a JSON body in UTF-8, or an attribute of it could not travel on.",
    todo: "It is parked under its position, or its entity. Find its writer; discard it, or redrive it with another body if only the body is broken.",
  },
  MESSAGE_UNKNOWN: {
    happened: "No service of this build knows the message's type on this topic, or has a rule for the timer or answer.",
    todo: "Mend the sender, or deploy the build that knows it; parked inputs are then tried again.",
  },
  MESSAGE_TOO_LARGE: {
    happened: "A message is larger than its topic allows. Checked before anything is stored.",
    todo: "Send less, or a reference to it; or raise `bytesMax` of the topic in its contract and at its broker.",
  },
  MESSAGE_UNSTAMPED: {
    happened: "A stamped topic holds a message without a stamp: somebody writes to it past the services that own it.",
    todo: "Close the topic to him in the broker's access rules, and point him to the service's door. The message is parked.",
  },
  KEY_INVALID: {
    happened:
      "A key, id or subject is empty, longer than 200 bytes, or has control characters or half of a surrogate pair.",
    todo: "Mend where it comes from; the text names it.",
  },
  TOPIC_UNKNOWN: {
    happened: "A topic is not declared at its broker.",
    todo: "Declare the deployment's topics, as the server does when it starts; look for a misspelt name.",
  },
  TOPIC_FOREIGN: {
    happened:
      "A service sends to a topic whose contract does not name it as a writer, or sends what it does not list in `sends`.",
    todo: "Add the service to the topic's writers, or send to the owner's door.",
  },
  TOPIC_MISMATCH: {
    happened: "A topic exists with settings other than those declared; the text names the setting.",
    todo: "Settle which is right. The number of partitions can never be changed on a topic that is in use.",
  },
  STATE_ELSEWHERE: {
    happened:
      "A handler touched a state that another lane of its service owns. Two owners of one state would lose updates.",
    todo: "Ask for it by a message to its owner, or give the service one lane.",
  },
  STATE_UNDECLARED: {
    happened: "A handler saved a state that its rule did not name.",
    todo: "Name it in the rule's steps.",
  },
  EFFECT_UNSAFE: {
    happened:
      "An adapter cannot repeat a call safely, or does not say how long its key is remembered, and the effect needs it.",
    todo: "Use the provider's idempotency key or look-up in the adapter, and say so in `idempotent`.",
  },
  EFFECT_UNBOUND: {
    happened: "A service uses an effect for which no adapter is given.",
    todo: "Give one under the effect's name when the worker is started.",
  },
} as const satisfies Partial<Meanings<ErrorCode>>;

const stops = {
  GAP: {
    happened:
      "A message of a source's chain is missing: something between the sender and this lane lost it. The text names the source and the numbers.",
    todo: "Find out who lost it: the broker's retention, a restore, a stranger's write. If the broker can be mended, mend it and restart the lane. Otherwise accept the loss for that topic, and reconcile by hand.",
  },
  RETENTION_PASSED: {
    happened: "The log no longer holds messages that the lane has yet to read.",
    todo: "Lengthen the retention. Accept the loss to go on at the first message kept, and reconcile what lay before it.",
  },
  STATE_CONFLICT: {
    happened: "Somebody else wrote a state that this lane owns.",
    todo: "Look for a second deployment on the same database, or for a hand that wrote to its tables. Then resume the lane.",
  },
  PARKING_FULL: {
    happened: "More keys are parked than a lane may hold, or more inputs queue behind one key.",
    todo: "It is an outage, not an exception: mend the cause, deploy, resume the lane. Redrive or discard to make room.",
  },
  FORGOTTEN: {
    happened:
      "Somebody let the shop forget this service, that was cut off, and the service was put back: half of what it knew is gone.",
    todo: "Take it out of the shop again, run `waybill forget` to its end, and put it back. It then reads what the topics still hold, from the first.",
  },
  MOST_KEYS_FAIL: {
    happened: "Most keys of the last thousand inputs failed.",
    todo: "Most likely the build, or what all of them depend on. Roll back or mend, then resume the lane; what is parked is tried again by the next build.",
  },
  INPUT_FATAL: {
    happened: "Process after process died while it handled this input; it was then tried alone, and set aside unrun.",
    todo: "Look for what it makes a rule do: endless loops, huge answers. Mend the rule and deploy; or discard the input.",
  },
} as const satisfies Partial<Meanings<ErrorCode>>;

const passes = {
  LOG_CHANGED: {
    happened: "A log is not the one that a position was taken from: it was made anew, or has lost its end.",
    todo: "Nothing: the lane reads the log again from its start; what it has seen is dropped. Find out why it changed.",
  },
  STORE_REWOUND: {
    happened:
      "The log holds messages of this lane that its database does not know: the database was restored from a backup, or failed over to a copy that was behind.",
    todo: "Nothing: the lane goes on under a new name and says nothing twice. Check what else lived in that database.",
  },
  LEVEL_TOO_LOW: {
    happened:
      "A newer build has written here, or sends what this one has not heard of. The lane is given back, and nothing is parked.",
    todo: "Nothing while a deploy is under way. Otherwise start a process of the newer build.",
  },
  NOT_OWNER: {
    happened: "The lane belongs to another member, or the batch was committed before. Nothing was written.",
    todo: "Nothing. If it happens often, the process is paused or cut off for longer than its lease: look at its host.",
  },
  COMMIT_UNKNOWN: {
    happened: "The answer to a commit was lost.",
    todo: "Nothing: the lane reads its row again, and knows.",
  },
  BATCH_REFUSED: {
    happened: "The database refuses something in a batch, and would refuse it again.",
    todo: "Nothing: the batch is halved until the one input is found, and that one is parked with the database's reason.",
  },
  STORE_UNAVAILABLE: {
    happened: "The database cannot be reached, or cannot write now.",
    todo: "Bring it back; every lane goes on where it was.",
  },
  TRANSPORT_UNAVAILABLE: {
    happened: "The broker cannot be reached, or cannot store now.",
    todo: "Bring it back. What is committed waits in the outbox and is sent in order; deadlines wait for what is unread.",
  },
  BACKLOG_FULL: {
    happened: "A bound was reached: too much waits already.",
    todo: "Call again a little later, and slower.",
  },
  CLOSED: {
    happened: "The thing that was called is closed.",
    todo: "Nothing when a process is stopping. Otherwise something uses what it has closed.",
  },
} as const satisfies Partial<Meanings<ErrorCode>>;

const all: Meanings<ErrorCode> = { ...wrong, ...stops, ...passes };

const sections: readonly (readonly [title: string, text: string, codes: object])[] = [
  ["What a caller or an author did wrong", "", wrong],
  [
    "What stops a lane, or a topic on it",
    "The other lanes go on, and so do the other topics of a lane that stops reading one. Nothing is skipped until somebody\ndecides.",
    stops,
  ],
  ["What passes by itself", "", passes],
];

/** The generated part of docs/errors.md. */
export function errorTables(): string {
  return sections
    .map(([title, text, codes]) => {
      const rows = (Object.keys(codes) as ErrorCode[]).map(row);
      const lead = text === "" ? [] : [text, ""];
      return [`## ${title}`, "", ...lead, "| code | what happened | what to do |", "| --- | --- | --- |", ...rows].join(
        "\n",
      );
    })
    .join("\n\n");
}

function row(code: ErrorCode): string {
  const { happened, todo } = all[code];
  const mark = new WaybillError(code, "").retryable ? " ↻" : "";
  return `| \`${code}\`${mark} | ${happened} | ${todo} |`;
}
