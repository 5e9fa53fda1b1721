import { messageOf, type StoredMessage, type Topic, type World } from "@waybill/messaging";
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

/** Watches what is durable in these topics, which share a transport, from now on. */
export async function openWatch(engine: Engine, world: World, watched: readonly Topic[]): Promise<Watch> {
  const transport = engine.durable.transportOf(watched[0]!.name);
  const bySubject = new Map<string, Set<Waiter>>();
  const listeners: ((message: StoredMessage) => void)[] = [];
  const stop = new AbortController();
  let waiting = 0;
  let released = false;

  const open = async () => {
    const ends = await Promise.all(watched.map(({ name }) => endOf(transport, name)));
    return transport.reader(ends.flat());
  };
  let reader = await open();

  function tell(message: StoredMessage): void {
    for (const listener of listeners) listener(message);
    for (const waiter of bySubject.get(nameOf(message.topic, message.subject)) ?? []) waiter.tell(message);
  }

  function tellAll(): void {
    for (const waiters of bySubject.values()) for (const waiter of waiters) waiter.tell(undefined);
  }

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        const { messages } = await reader.fetch(fetchLimits, stop.signal);
        for (const message of messages) tell(message);
      } catch (error) {
        if (stop.signal.aborted) return;
        world.log("warn", "Waiting requests lost the log and look again.", { error: messageOf(error) });
        await reopen();
      }
    }
  }

  async function reopen(): Promise<void> {
    await reader[Symbol.asyncDispose]();
    await world.sleep(500, stop.signal);
    if (stop.signal.aborted) return;
    await open().then(
      (opened) => (reader = opened),
      () => undefined,
    );
    tellAll();
  }
  const following = follow();

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
      await following;
      await reader[Symbol.asyncDispose]();
    },
  };
}

function nameOf(topic: string, subject: string): string {
  return `${topic}/${subject}`;
}
