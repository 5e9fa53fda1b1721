import type { AnyMessageType } from "./contract.ts";
import { upcast } from "./contract.ts";
import { messageOf, codeOf, WaybillError } from "./errors.ts";
import { Draft, NotYet } from "./lane/draft.ts";
import { parkedInput, type Input } from "./lane/input.ts";
import { decode, routesOf, ruleOf } from "./lane/routes.ts";
import type { Rule, Service, StateRef } from "./service.ts";
import { deepFreeze, doneOf, type Done } from "./specification.ts";
import type { ParkedInput, StateRow, Store } from "./store.ts";

/** What a parked input would do if it were handled now. */
export type Rehearsed =
  | (Done & {
      readonly kind: "done";
      /** Whether it would only be dropped: this service has no use for it any more. */
      readonly isUnused: boolean;
      readonly saved: readonly { readonly state: string; readonly id: string; readonly value: unknown }[];
    })
  /** It would be set aside for a moment, for what it waits for has not come. */
  | { readonly kind: "waits"; readonly reason: string }
  | { readonly kind: "failed"; readonly code: string; readonly reason: string };

/** Which input is rehearsed, by which service, on which states. */
export interface RehearseOptions {
  readonly service: Service;
  /** Every message type of the build. */
  readonly types: readonly AnyMessageType[];
  readonly store: Pick<Store, "load" | "nowMs">;
  readonly partitions: number;
  readonly input: ParkedInput;
  /** JSON text to handle in place of the input's own body. */
  readonly body?: string | undefined;
}

/**
 * Runs the handler of a parked input on the states as they are stored, and keeps nothing. What it shows is right for this
 * moment: the lane may change the states while it is looked at, and the ids of what is sent are those that it would have.
 */
export async function rehearse(options: RehearseOptions): Promise<Rehearsed> {
  const { service, types, partitions, store } = options;
  const routes = routesOf(service, types);
  const input = parkedInput(options.input, options.body);
  try {
    refuseMalformed(input);
    const rule = ruleOf(routes, input);
    if (rule === undefined) return { kind: "done", isUnused: true, saved: [], ...nothing };
    const nowMs = store.nowMs();
    const context = { service: service.name, sends: routes.sends, partitions, publishAtMs: nowMs };
    const draft = new Draft(context, input, nowMs);
    await play(options, { rule, body: deepFreeze(decode(rule, input)), draft });
    const saved = draft.saves.map(({ entry, value }) => ({ state: entry.ref.of.kind, id: entry.ref.id, value }));
    return { kind: "done", isUnused: false, saved, ...doneOf(draft, input.subject) };
  } catch (error) {
    if (error instanceof NotYet) return { kind: "waits", reason: error.message };
    return { kind: "failed", code: codeOf(error) ?? nameOf(error), reason: messageOf(error) };
  }
}

const nothing: Done = { sent: [], effects: [], timers: [], cleared: [] };

function refuseMalformed({ malformed }: Input): void {
  if (malformed !== undefined) throw new WaybillError("MESSAGE_UNREADABLE", malformed);
}

/** Lends the states of a rule's steps and runs it. */
async function play(
  { service, store }: RehearseOptions,
  { rule, body, draft }: { readonly rule: Rule; readonly body: unknown; readonly draft: Draft },
): Promise<void> {
  const before: unknown[] = [];
  for (const step of rule.steps) {
    const refs = (step as (...all: unknown[]) => readonly StateRef<unknown>[])(body, ...before);
    const rows = await store.load(
      service.name,
      refs.map(({ of, id }) => ({ kind: of.kind, id })),
    );
    before.push(
      refs.map((ref) => draft.lend({ ref, value: valueIn(rows, ref), version: 0, home: 0, bytes: 0, lentTo: 0 })),
    );
  }
  (rule.handle as (...all: unknown[]) => void)(body, ...before, draft);
}

function valueIn(rows: readonly StateRow[], { of, id }: StateRef<unknown>): unknown {
  const row = rows.find((one) => one.kind === of.kind && one.id === id);
  if (row === undefined) return undefined;
  return deepFreeze(upcast(`State ${row.kind} ${row.id}`, of, row.schema, JSON.parse(row.body)));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "Error";
}
