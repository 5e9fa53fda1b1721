import { messageOf, type Reader, type StoredMessage, type Topic, type Transport, type World } from "@waybill/messaging";
import { endOf, type Engine } from "./engine.ts";

/** Looks for what is waited for: when the wait begins and ends, and at each message of the subject. */
export type Look<T> = (message: StoredMessage | undefined) => T | undefined | Promise<T | undefined>;

/** Lets requests wait for what services say, with one reader of the log for all of them. */
export interface Watch extends AsyncDisposable {
  /** What `look` found within `ms`; undefined when it found nothing, or too many wait already. Rejects when it throws. */
  until<T>(topic: Topic, subject: string, ms: number, look: Look<T>): Promise<T | undefined>;
  /** Calls back for every message that is stored from now on. */
  listen(listener: (message: StoredMessage) => void): void;
  /** Ends all waits, now and from now on. */
  release(): void;
}

interface Waiter {
  tell(message: StoredMessage | undefined): void;
  end(): void;
}

const waitersMax = 10_000;
const fetchLimits = { messages: 1_000, bytes: 1_048_576, waitMs: 60_000 };

/** Watches what is durable in these topics, from now on. */
export async function openWatch(engine: Engine, world: World, watched: readonly Topic[]): Promise<Watch> {
  const bySubject = new Map<string, Set<Waiter>>();
  const listeners: ((message: StoredMessage) => void)[] = [];
  const stop = new AbortController();
  let waiting = 0;
  let released = false;

  function tell(message: StoredMessage): void {
    for (const listener of listeners) listener(message);
    for (const waiter of bySubject.get(nameOf(message.topic, message.subject)) ?? []) waiter.tell(message);
  }

  function tellAll(): void {
    for (const waiters of bySubject.values()) for (const waiter of waiters) waiter.tell(undefined);
  }

  const names = watched.map(({ name }) => name);
  const transports = Map.groupBy(names, (name) => engine.durable.transportOf(name));
  const following = await Promise.all(
    Array.from(transports, ([transport, of]) => follow(transport, of, { world, tell, tellAll, signal: stop.signal })),
  );

  function add(name: string, waiter: Waiter): void {
    const waiters = bySubject.get(name);
    if (waiters === undefined) bySubject.set(name, new Set([waiter]));
    else waiters.add(waiter);
    waiting += 1;
  }

  function remove(name: string, waiter: Waiter): void {
    const waiters = bySubject.get(name);
    if (waiters?.delete(waiter) !== true) return;
    if (waiters.size === 0) bySubject.delete(name);
    waiting -= 1;
  }

  return {
    async until(topic, subject, ms, look) {
      if (ms <= 0 || released || waiting >= waitersMax) return look(undefined);
      const name = nameOf(topic.name, subject);
      return new Promise((resolve, reject) => {
        const leave = () => {
          clearTimeout(timer);
          remove(name, waiter);
        };
        const check = async (message: StoredMessage | undefined, isLast: boolean) => {
          try {
            const seen = await look(message);
            if (seen === undefined && !isLast) return;
            leave();
            resolve(seen);
          } catch (error) {
            leave();
            reject(error);
          }
        };
        const waiter: Waiter = {
          tell: (message) => void check(message, false),
          end: () => void check(undefined, true),
        };
        const timer = setTimeout(waiter.end, ms);
        // What is said while the first look is under way is looked at as well.
        add(name, waiter);
        waiter.tell(undefined);
      });
    },
    listen: (listener) => void listeners.push(listener),
    release() {
      released = true;
      for (const waiters of bySubject.values()) for (const waiter of waiters) waiter.end();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(following.map(({ ended }) => ended));
    },
  };
}

interface Listening {
  readonly world: World;
  readonly signal: AbortSignal;
  tell(message: StoredMessage): void;
  /** Something may have been missed. */
  tellAll(): void;
}

/** Reads topics of one transport from now on; resolves when it is there, its `ended` after the signal. */
async function follow(
  transport: Transport,
  names: readonly string[],
  { world, signal, tell, tellAll }: Listening,
): Promise<{ readonly ended: Promise<void> }> {
  const open = async () => transport.reader((await Promise.all(names.map((name) => endOf(transport, name)))).flat());
  let reader = await open();

  async function read(): Promise<void> {
    while (!signal.aborted) {
      try {
        const { messages } = await reader.fetch(fetchLimits, signal);
        for (const message of messages) tell(message);
      } catch (error) {
        if (signal.aborted) break;
        world.log("warn", "Waiting requests lost the log and look again.", { error: messageOf(error) });
        await reader[Symbol.asyncDispose]();
        await reopen();
      }
    }
    await reader[Symbol.asyncDispose]();
  }

  async function reopen(): Promise<void> {
    for (let opened: Reader | undefined; opened === undefined;) {
      await world.sleep(500, signal);
      if (signal.aborted) return;
      opened = await open().catch(() => undefined);
      if (opened !== undefined) reader = opened;
      tellAll();
    }
  }

  return { ended: read() };
}

function nameOf(topic: string, subject: string): string {
  return `${topic}/${subject}`;
}
