import type { StoredMessage } from "@waybill/messaging";
import { shopContract, tail, type MessageView } from "@waybill/server";
import { CliError } from "../exit.ts";
import { refused, type Found } from "./found.ts";

export interface TailOptions {
  readonly topic: string;
  /** How many messages the first page shows; those that follow show all. */
  readonly limit: number;
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly signal: AbortSignal;
}

/** A topic's messages, a page at a time. */
export interface Tail extends AsyncDisposable {
  /** The next page. `isPatient`: waits a while when there is nothing. */
  next(isPatient: boolean): Promise<readonly MessageView[]>;
}

const waitSeconds = 20;
const limitMax = 500;

/** Begins with the last messages of a topic, read from its server, or from what it runs on. */
export async function openTail(found: Found, options: TailOptions): Promise<Tail> {
  const { topic } = options;
  const names = shopContract().topics.map(({ name }) => name);
  if (!names.includes(topic)) {
    throw new CliError("failed", `There is no topic ${topic}. There are: ${names.join(", ")}.`);
  }
  return (await found.get("/health/live")) === undefined ? fromEngine(found, options) : fromServer(found, options);
}

interface Page {
  readonly messages: readonly MessageView[];
  readonly place: string;
}

function fromServer(found: Found, { topic, limit, type, subject, signal }: TailOptions): Tail {
  let place: string | undefined;
  return {
    async next(isPatient) {
      const query = new URLSearchParams({ limit: String(place === undefined ? limit : limitMax) });
      for (const [name, value] of Object.entries({ type, subject, after: place }))
        if (value !== undefined) query.set(name, value);
      const wait = isPatient && place !== undefined ? waitSeconds : undefined;
      const asked = found.get(`/topics/${topic}/messages?${query.toString()}`, wait).catch(refused);
      const page = (await Promise.race([asked, stopped(signal)])) as Page;
      place = page.place;
      return page.messages;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function fromEngine(found: Found, { topic, limit, type, subject, signal }: TailOptions): Promise<Tail> {
  const engine = await found.open();
  let place: string | undefined;
  const isWanted = (message: StoredMessage) =>
    (type === undefined || message.type === type) && (subject === undefined || message.subject === subject);
  return {
    async next(isPatient) {
      const page = await tail({
        transport: engine.durable.transportOf(topic),
        topic,
        place,
        limit: place === undefined ? limit : limitMax,
        waitMs: isPatient && place !== undefined ? waitSeconds * 1_000 : 0,
        isWanted,
        signal,
      });
      ({ place } = page);
      signal.throwIfAborted();
      return page.messages;
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** Rejects when somebody asks for the end. */
function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

/** A message on one line: when, where, what, about whom, and its body. */
export function messageLine({ at, partition, offset, type, subject, body }: MessageView): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return [at.slice(0, 23).replace("T", " "), `${partition}@${offset}`, type, subject, text].map(plain).join("  ");
}

/** A text that cannot steer a terminal. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "�");
}
