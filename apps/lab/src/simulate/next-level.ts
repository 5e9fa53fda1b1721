import type { AnyMessageType, Held, Out, Rule, Service, StateKind, StateRef } from "@waybill/messaging";

/** What the newer build's states and messages have that the older ones have not. */
const mark = "build2";

/**
 * The same service as a newer build has it: of a higher level, with a second version of every state and message. The rules
 * stay as they are; what an older build would read of it, it cannot read.
 */
export function nextLevel(of: Service, typeOf: (type: AnyMessageType) => AnyMessageType): Service {
  const kinds = new Map<StateKind<unknown>, StateKind<unknown>>();
  const kindOf = (kind: StateKind<unknown>): StateKind<unknown> => {
    const known = kinds.get(kind);
    if (known !== undefined) return known;
    const id = (name: string): StateRef<unknown> => ({ of: made, id: name });
    const made: StateKind<unknown> = Object.assign(id, {
      kind: kind.kind,
      version: 2,
      upcasts: { 1: (body: unknown) => body },
    });
    kinds.set(kind, made);
    return made;
  };
  const rules = of.rules.map((rule) => nextRule(rule, kindOf, typeOf));
  return { ...of, level: 2, rules, sends: of.sends.map(typeOf) };
}

/** The second version of a message: it carries a word more, and is lifted from the first. */
export function nextMessages(): (type: AnyMessageType) => AnyMessageType {
  const made = new Map<AnyMessageType, AnyMessageType>();
  return (type) => {
    const known = made.get(type) ?? { ...type, version: 2, upcasts: { 1: (body: never): unknown => body } };
    made.set(type, known);
    return known;
  };
}

type AnyStep = (body: never, ...before: never[]) => readonly StateRef<unknown>[];

function nextRule(
  rule: Rule,
  kindOf: (kind: StateKind<unknown>) => StateKind<unknown>,
  typeOf: (type: AnyMessageType) => AnyMessageType,
): Rule {
  const steps = rule.steps.map(
    (step): AnyStep =>
      (body, ...before) =>
        step(body, ...before).map(({ of, id }) => ({ of: kindOf(of), id })),
  );
  const on = rule.on.kind === "message" ? { ...rule.on, type: typeOf(rule.on.type) } : rule.on;
  const handle = rule.handle as (...all: unknown[]) => void;
  return {
    on,
    steps,
    handle: (body: never, ...rest: never[]) => {
      const out = rest.at(-1) as unknown as Out;
      handle(body, ...rest.slice(0, -1), nextOut(out, typeOf));
    },
  };
}

/** What a rule does, said in the second version. */
function nextOut(out: Out, typeOf: (type: AnyMessageType) => AnyMessageType): Out {
  return {
    nowMs: out.nowMs,
    input: out.input,
    save: (held, value) => out.save(held as Held<unknown>, marked(value)),
    remove: (held) => out.remove(held),
    send: (type, body) => out.send(typeOf(type), body),
    effect: (type, input) => out.effect(type, input),
    at: (type, dueMs, ...body) => out.at(type, dueMs, ...body),
    clear: (type) => out.clear(type),
    notYet: (reason) => out.notYet(reason),
  };
}

function marked(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value, [mark]: true } : value;
}
