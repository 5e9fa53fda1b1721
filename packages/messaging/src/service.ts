import { versions, type AnyMessageType, type MessageType, type Upcast, type Versioned } from "./contract.ts";
import { WaybillError } from "./errors.ts";
import type { InputKind } from "./store.ts";

/** A value that a handler may read and must not change. */
export type Frozen<T> = unknown extends T
  ? T
  : T extends string | number | boolean | bigint | null | undefined
    ? T
    : { readonly [K in keyof T]: Frozen<T[K]> };

/** A kind of state: `const order = state<Order>("order")`, then `order(id)` names one. */
export interface StateKind<T> extends Versioned {
  (id: string): StateRef<T>;
  readonly kind: string;
}

/** One state, named by its kind and its id. */
export interface StateRef<T> {
  readonly of: StateKind<T>;
  readonly id: string;
}

/** A state as a handler gets it; `value` is undefined when there is none yet. */
export interface Held<T> {
  readonly ref: StateRef<T>;
  readonly value: Frozen<T> | undefined;
}

/** Declares a kind of state. Throws CONTRACT_INVALID when an older version has no upcast. */
export function state<T>(
  kind: string,
  options: { readonly version?: number; readonly upcasts?: Readonly<Record<number, Upcast>> } = {},
): StateKind<T> {
  const of: StateKind<T> = Object.assign((id: string): StateRef<T> => ({ of, id }), {
    kind,
    ...versions(`State "${kind}"`, options),
  });
  return of;
}

/** A point in time that a service waits for; at most one per (entity, name). */
export interface TimerType<T> extends Versioned {
  readonly name: string;
  /** Only carries the type of the body. */
  readonly carries?: (body: T) => T;
}

/** Declares a timer. Throws CONTRACT_INVALID when an older version has no upcast. */
export function timer<T = null>(
  name: string,
  options: { readonly version?: number; readonly upcasts?: Readonly<Record<number, Upcast>> } = {},
): TimerType<T> {
  return { name, ...versions(`Timer "${name}"`, options) };
}

/** Any timer type, where its body's type does not matter. */
// oxlint-disable-next-line no-explicit-any -- a body's type is both read and written; only any fits all of them
export type AnyTimerType = TimerType<any>;

/** What came of a call to the outside. `unknown`: it may have happened, and nobody can tell any more. */
export type Outcome<O> =
  | { readonly kind: "done"; readonly value: O }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** What the handler of an effect's result gets: what was asked, and what came of it. */
export interface EffectResult<I, O> {
  readonly input: I;
  readonly outcome: Outcome<O>;
}

/** A call to the outside, made after the commit. Those of one entity and queue run one after the other, in order. */
export interface EffectType<I, O> extends Versioned {
  readonly name: string;
  /** Queues whose names begin alike, up to a slash, call the same other side: when it does not answer, all are held up. */
  readonly queue: string;
  /** It moves money: its adapter must be able to repeat a call without repeating its effect. */
  readonly money: boolean;
  /** Never called again after it was begun; an interrupted call is `unknown`. */
  readonly atMostOnce: boolean;
  /** After this long without an outcome the handler gets `unknown`; undefined tries for ever. */
  readonly giveUpMs: number | undefined;
  /** Only carries the types of the input and of the result. */
  readonly carries?: (input: I, outcome: O) => [I, O];
}

/** Any effect type, where its types do not matter. */
// oxlint-disable-next-line no-explicit-any -- both types are read and written; only any fits all of them
export type AnyEffectType = EffectType<any, any>;

/** How a call to the outside is declared: its queue, whether it moves money, and when it is given up. */
export interface EffectOptions {
  readonly queue: string;
  readonly money?: boolean;
  readonly atMostOnce?: boolean;
  readonly giveUpMs?: number;
  readonly version?: number;
  readonly upcasts?: Readonly<Record<number, Upcast>>;
}

/**
 * Declares a call to the outside; an adapter of its name makes it. Throws CONTRACT_INVALID when an older version has no
 * upcast.
 */
export function effect<I, O = null>(name: string, options: EffectOptions): EffectType<I, O> {
  return {
    name,
    queue: options.queue,
    money: options.money ?? false,
    atMostOnce: options.atMostOnce ?? false,
    giveUpMs: options.giveUpMs,
    ...versions(`Effect "${name}"`, options),
  };
}

/** What a handler may know of its input besides the body. */
export interface InputInfo {
  readonly kind: InputKind;
  readonly id: string;
  readonly type: string;
  /** The entity's key. */
  readonly subject: string;
  readonly correlation: string;
  /** When it was published, fell due, or was answered, in milliseconds. */
  readonly atMs: number;
  /** Its place in a log; only of a message. */
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number | undefined;
}

/** What `send` says of the message that it will become. */
export interface Sent {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly partition: number;
  readonly atMs: number;
}

/**
 * What a handler does. Everything is kept only if the handler returns, and then in one commit with its input.
 * Nothing here waits, and nothing here asks the world.
 */
export interface Out {
  /** Lane time in milliseconds: nothing that was published before it is still unread. */
  readonly nowMs: number;
  readonly input: InputInfo;
  /** Keeps a new value of a state that the rule declared. The engine owns the value from here on. */
  save<T>(held: Held<T>, value: T): void;
  remove<T>(held: Held<T>): void;
  /** Sends a message; its id derives from the input's id and the order of sending. */
  send<T>(type: MessageType<T>, body: NoInfer<T>): Sent;
  /** Calls the outside after the commit; its result comes back as an input of this entity. */
  effect<I, O>(type: EffectType<I, O>, input: NoInfer<I>): void;
  /** Sets this entity's timer of that name, in place of one that is already set. */
  at<T>(type: TimerType<T>, dueMs: number, ...body: T extends null ? [] : [body: T]): void;
  clear(type: AnyTimerType): void;
  /** Sets this entity aside for a moment: what must come first has not come. Not counted as a failure. Throws. */
  notYet(reason: string): never;
}

type Refs = readonly StateRef<unknown>[];
type HeldOf<R extends Refs> = { readonly [K in keyof R]: R[K] extends StateRef<infer T> ? Held<T> : never };

/** A rule as the engine sees it: what it is for, which states it touches in up to three steps, what it does. */
export interface Rule {
  readonly on:
    | { readonly kind: "message"; readonly type: AnyMessageType }
    | { readonly kind: "timer"; readonly type: AnyTimerType }
    | { readonly kind: "result"; readonly type: AnyEffectType };
  /** Each gets the body and the states of the steps before it. */
  readonly steps: readonly ((body: never, ...before: never[]) => Refs)[];
  readonly handle: (body: never, ...rest: never[]) => void;
}

/**
 * A rule: what it is for, the states that it touches, and what it does.
 *
 *     when(stockReserved, (m) => [payment(m.orderId)], (m, [p], out) => { … })
 *
 * A second and third step may name states by what the first ones hold:
 *
 *     when(orderCancelled, (m) => [reservation(m.orderId)],
 *       (m, [r]) => (r.value?.lines ?? []).map((line) => stock(line.sku)),
 *       (m, [r], skus, out) => { … })
 */
export function when<B, const A extends Refs>(
  trigger: MessageType<B>,
  first: (body: Frozen<B>) => A,
  handle: (body: Frozen<B>, a: HeldOf<A>, out: Out) => void,
): Rule;
export function when<B, const A extends Refs, const C extends Refs>(
  trigger: MessageType<B>,
  first: (body: Frozen<B>) => A,
  second: (body: Frozen<B>, a: HeldOf<A>) => C,
  handle: (body: Frozen<B>, a: HeldOf<A>, c: HeldOf<C>, out: Out) => void,
): Rule;
export function when<B, const A extends Refs, const C extends Refs, const D extends Refs>(
  trigger: MessageType<B>,
  first: (body: Frozen<B>) => A,
  second: (body: Frozen<B>, a: HeldOf<A>) => C,
  third: (body: Frozen<B>, a: HeldOf<A>, c: HeldOf<C>) => D,
  handle: (body: Frozen<B>, a: HeldOf<A>, c: HeldOf<C>, d: HeldOf<D>, out: Out) => void,
): Rule;
export function when(trigger: AnyMessageType, ...rest: Function[]): Rule {
  return rule({ kind: "message", type: trigger }, rest);
}

/** A timer as its rule gets it. */
export interface Fired<T> {
  readonly key: string;
  readonly dueMs: number;
  readonly body: T;
}

/** A rule for a timer that has fired: `whenDue(paymentDeadline, (t) => [order(t.key)], (t, [o], out) => { … })`. */
export function whenDue<T, const A extends Refs>(
  trigger: TimerType<T>,
  first: (fired: Fired<T>) => A,
  handle: (fired: Fired<T>, a: HeldOf<A>, out: Out) => void,
): Rule;
export function whenDue<T, const A extends Refs, const C extends Refs>(
  trigger: TimerType<T>,
  first: (fired: Fired<T>) => A,
  second: (fired: Fired<T>, a: HeldOf<A>) => C,
  handle: (fired: Fired<T>, a: HeldOf<A>, c: HeldOf<C>, out: Out) => void,
): Rule;
export function whenDue(trigger: AnyTimerType, ...rest: Function[]): Rule {
  return rule({ kind: "timer", type: trigger }, rest);
}

/** A rule for what came of an effect: `whenSettled(authorise, (r) => [payment(r.input.orderId)], (r, [p], out) => { … })`. */
export function whenSettled<I, O, const A extends Refs>(
  trigger: EffectType<I, O>,
  first: (result: EffectResult<I, O>) => A,
  handle: (result: EffectResult<I, O>, a: HeldOf<A>, out: Out) => void,
): Rule;
export function whenSettled<I, O, const A extends Refs, const C extends Refs>(
  trigger: EffectType<I, O>,
  first: (result: EffectResult<I, O>) => A,
  second: (result: EffectResult<I, O>, a: HeldOf<A>) => C,
  handle: (result: EffectResult<I, O>, a: HeldOf<A>, c: HeldOf<C>, out: Out) => void,
): Rule;
export function whenSettled(trigger: AnyEffectType, ...rest: Function[]): Rule {
  return rule({ kind: "result", type: trigger }, rest);
}

function rule(on: Rule["on"], functions: readonly Function[]): Rule {
  return {
    on,
    steps: functions.slice(0, -1) as unknown as Rule["steps"],
    handle: functions.at(-1) as unknown as Rule["handle"],
  };
}

/** A service: its rules, what it may send, and how it is spread. */
export interface Service {
  readonly name: string;
  /** Raised with each new version of a message, state, timer or effect; from 1. */
  readonly level: number;
  /** The most lanes it may have. 1 for a service whose states are shared between keys; undefined: as many as partitions. */
  readonly lanesMax: number | undefined;
  readonly rules: readonly Rule[];
  readonly sends: readonly AnyMessageType[];
}

/** What a service is made of: its rules, all that it may send, its level, and the most lanes that it may have. */
export interface ServiceOptions {
  readonly level?: number;
  readonly lanesMax?: number;
  readonly on: readonly Rule[];
  readonly sends?: readonly AnyMessageType[];
}

/**
 * Declares a service. Throws CONTRACT_INVALID when two rules are for the same, and TOPIC_FOREIGN when it would write to
 * the topic of others.
 */
export function service(name: string, options: ServiceOptions): Service {
  const seen = new Set<string>();
  for (const { on } of options.on) {
    const trigger =
      on.kind === "message" ? `message ${on.type.topic.name}/${on.type.name}` : `${on.kind} ${on.type.name}`;
    if (seen.has(trigger)) {
      throw new WaybillError("CONTRACT_INVALID", `Service "${name}" has two rules for ${trigger}.`);
    }
    seen.add(trigger);
  }
  for (const type of options.sends ?? []) {
    if (!type.topic.door && !type.topic.writers.includes(name)) {
      throw new WaybillError(
        "TOPIC_FOREIGN",
        `Service "${name}" sends ${type.name}, but topic "${type.topic.name}" is written by ${type.topic.writers.join(", ")} only.`,
      );
    }
  }
  return {
    name,
    level: options.level ?? 1,
    lanesMax: options.lanesMax,
    rules: options.on,
    sends: options.sends ?? [],
  };
}

/** The topics that a service reads. */
export function reads(of: Service): readonly string[] {
  const topics = new Set<string>();
  for (const { on } of of.rules) if (on.kind === "message") topics.add(on.type.topic.name);
  return [...topics];
}
