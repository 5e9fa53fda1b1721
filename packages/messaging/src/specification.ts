import { WaybillError } from "./errors.ts";
import { Draft } from "./lane/draft.ts";
import type { AnyMessageType, MessageType } from "./contract.ts";
import type {
  AnyEffectType,
  AnyTimerType,
  EffectType,
  Held,
  InputInfo,
  Outcome,
  Rule,
  Service,
  StateRef,
} from "./service.ts";

/** What a service did with one input. */
export interface Done {
  readonly sent: readonly { readonly type: string; readonly body: unknown }[];
  readonly effects: readonly { readonly name: string; readonly input: unknown; readonly id: string }[];
  readonly timers: readonly {
    readonly name: string;
    readonly key: string;
    readonly dueMs: number;
    readonly body: unknown;
  }[];
  /** Names of the timers that it cleared. */
  readonly cleared: readonly string[];
}

/**
 * One service with its states in memory and no engine: given some states, when an input comes, then this is done.
 * A rule that throws changes nothing and the error comes out as it is.
 */
export interface Specification {
  nowMs: number;
  given<T>(ref: StateRef<T>, value: T): void;
  state<T>(ref: StateRef<T>): T | undefined;
  /** Whether the service has a rule for this message. */
  handles(type: AnyMessageType): boolean;
  when<T>(type: MessageType<T>, body: NoInfer<T>): Done;
  due(type: AnyTimerType, key: string, body?: unknown): Done;
  settled<I, O>(type: EffectType<I, O>, input: NoInfer<I>, outcome: Outcome<NoInfer<O>>): Done;
}

export function specification(of: Service, options: { nowMs?: number; partitions?: number } = {}): Specification {
  const states = new Map<string, unknown>();
  const keyOf = (ref: StateRef<unknown>) => `${ref.of.kind}\n${ref.id}`;
  const partitions = options.partitions ?? 32;
  let inputs = 0;

  const run = (rule: Rule | undefined, what: string, body: unknown, subject: string, kind: InputInfo["kind"]): Done => {
    if (rule === undefined) throw new WaybillError("MESSAGE_UNKNOWN", `Service "${of.name}" has no rule for ${what}.`);
    const input = inputInfo(kind, what, subject, specified.nowMs, inputs++);
    const context = { service: of.name, sends: new Set(of.sends), partitions, publishAtMs: specified.nowMs };
    const draft = new Draft(context, input, specified.nowMs);
    const lend = (ref: StateRef<unknown>): Held<unknown> =>
      draft.lend({
        ref,
        value: deepFreeze(structuredClone(states.get(keyOf(ref)))),
        version: 0,
        home: 0,
        bytes: 0,
        lentTo: 0,
      });
    const before: unknown[] = [];
    for (const step of rule.steps) {
      const refs = (step as (...all: unknown[]) => readonly StateRef<unknown>[])(body, ...before);
      before.push(refs.map(lend));
    }
    (rule.handle as (...all: unknown[]) => void)(body, ...before, draft);
    for (const { entry, value } of draft.saves) {
      if (value === undefined) states.delete(keyOf(entry.ref));
      else states.set(keyOf(entry.ref), JSON.parse(JSON.stringify(value)));
    }
    return doneOf(draft, subject);
  };

  const specified: Specification = {
    nowMs: options.nowMs ?? 1_700_000_000_000,
    given: (ref, value) => void states.set(keyOf(ref), structuredClone(value)),
    state: <T>(ref: StateRef<T>) => states.get(keyOf(ref)) as T | undefined,
    handles: (type) => of.rules.some(({ on }) => on.kind === "message" && on.type === type),
    when: (type, body) => {
      const rule = of.rules.find(({ on }) => on.kind === "message" && on.type === type);
      const value: unknown = JSON.parse(JSON.stringify(body));
      return run(rule, type.name, deepFreeze(value), type.subject(body), "message");
    },
    due: (type, key, body = null) => {
      const rule = of.rules.find(({ on }) => on.kind === "timer" && on.type === type);
      return run(rule, type.name, deepFreeze({ key, dueMs: specified.nowMs, body }), key, "timer");
    },
    settled: (type, input, outcome) => {
      const rule = of.rules.find(({ on }) => on.kind === "result" && on.type === (type as AnyEffectType));
      return run(rule, type.name, deepFreeze(structuredClone({ input, outcome })), type.name, "result");
    },
  };
  return specified;
}

function inputInfo(kind: InputInfo["kind"], type: string, subject: string, atMs: number, count: number): InputInfo {
  const id = `input-${count}`;
  const log = kind === "message" ? { topic: "specification", offset: count } : { topic: undefined, offset: undefined };
  return { kind, id, type, subject, correlation: subject, atMs, partition: 0, ...log };
}

/** What a draft holds, for people. */
export function doneOf(draft: Draft, key: string): Done {
  return {
    sent: draft.messages.map(({ type, body }) => ({ type, body: JSON.parse(body) as unknown })),
    effects: draft.effects.map(({ of, id, input }) => ({ name: of.name, id, input: JSON.parse(input) as unknown })),
    timers: draft.timers.flatMap((timer) =>
      timer.dueMs === undefined
        ? []
        : [{ name: timer.of.name, key, dueMs: timer.dueMs, body: JSON.parse(timer.body) as unknown }],
    ),
    cleared: draft.timers.flatMap((timer) => (timer.dueMs === undefined ? [timer.of.name] : [])),
  };
}

/** Freezes a value of plain objects and arrays through and through, so that a rule which changes it is found out. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
