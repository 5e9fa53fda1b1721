import { WaybillError } from "../errors.ts";
import { derivedId, keyText } from "../ids.ts";
import { partitionOf } from "../partition.ts";
import { checked } from "../schema.ts";
import { checkSize } from "../size.ts";
import type { Entry } from "./cache.ts";
import type { AnyMessageType, MessageType } from "../contract.ts";
import type { AnyEffectType, AnyTimerType, EffectType, Held, InputInfo, Out, Sent, TimerType } from "../service.ts";

/** What a lane tells every draft of a batch. */
export interface DraftContext {
  readonly service: string;
  readonly sends: ReadonlySet<AnyMessageType>;
  readonly partitions: number;
  /** What the batch's messages will carry as the time of their publication. */
  readonly publishAtMs: number;
}

export interface DraftMessage extends Sent {
  readonly of: AnyMessageType;
  readonly subject: string;
  readonly key: string;
  /** The checked body, and its JSON text. */
  readonly value: unknown;
  readonly body: string;
}

export interface DraftSave {
  readonly entry: Entry;
  /** undefined removes the state. */
  readonly value: unknown;
}

export interface DraftEffect {
  readonly of: AnyEffectType;
  readonly id: string;
  /** JSON text. */
  readonly input: string;
}

export type DraftTimer =
  | { readonly of: AnyTimerType; readonly dueMs: number; readonly body: string }
  | { readonly of: AnyTimerType; readonly dueMs: undefined };

/** Thrown by `notYet`: not a failure, the input's entity is only set aside. */
export class NotYet extends Error {
  override readonly name = "NotYet";
}

const none: never[] = [];
let drafts = 0;

/**
 * All that one input wants done, held apart until its handler has returned. Whatever could be refused later
 * (size, schema, key, topic) is refused here, where it is the input's own failure.
 */
export class Draft implements Out {
  readonly nowMs: number;
  readonly input: InputInfo;
  // Most drafts use two of these; the others stay what all share.
  #saves: DraftSave[] = none;
  #messages: DraftMessage[] = none;
  #effects: DraftEffect[] = none;
  #timers: DraftTimer[] = none;
  readonly #context: DraftContext;
  /** Tells drafts apart without holding on to them. */
  readonly #number = ++drafts;

  constructor(context: DraftContext, input: InputInfo, nowMs: number) {
    this.#context = context;
    this.input = input;
    this.nowMs = nowMs;
  }

  /** Lends a state to the handler; only what was lent may be saved. */
  lend(entry: Entry): Held<unknown> {
    entry.lentTo = this.#number;
    return entry;
  }

  get saves(): readonly DraftSave[] {
    return this.#saves;
  }

  get messages(): readonly DraftMessage[] {
    return this.#messages;
  }

  get effects(): readonly DraftEffect[] {
    return this.#effects;
  }

  get timers(): readonly DraftTimer[] {
    return this.#timers;
  }

  save<T>(held: Held<T>, value: T): void {
    if (value === undefined) {
      throw new WaybillError(
        "CONTRACT_INVALID",
        `State ${held.ref.of.kind} ${held.ref.id}: undefined cannot be saved; use remove.`,
      );
    }
    this.#keep(held as unknown as Held<never>, value);
  }

  remove<T>(held: Held<T>): void {
    this.#keep(held as unknown as Held<never>, undefined);
  }

  #keep(held: Held<never>, value: unknown): void {
    const entry = held as Entry;
    if (entry.lentTo !== this.#number) {
      throw new WaybillError(
        "STATE_UNDECLARED",
        `State ${held.ref.of.kind} ${held.ref.id} was not declared by this rule.`,
      );
    }
    if (this.#saves === none) this.#saves = [];
    this.#saves.push({ entry, value });
  }

  send<T>(type: MessageType<T>, body: NoInfer<T>): Sent {
    const { service, sends, partitions, publishAtMs } = this.#context;
    if (!sends.has(type)) {
      throw new WaybillError(
        "TOPIC_FOREIGN",
        `Service "${service}" sends ${type.name} but does not list it in "sends".`,
      );
    }
    const value = checked(type, body, "MESSAGE_INVALID", "As sent:");
    const subject = keyText(type.subject(value), "The subject of", type.name);
    const named = type.key(value);
    const key = named === subject ? subject : keyText(named, "The key of", type.name);
    const text = JSON.stringify(value);
    checkSize(type, text);
    const sent: DraftMessage = {
      of: type,
      id: derivedId(this.input.id, service, "m", this.#messages.length),
      type: type.name,
      topic: type.topic.name,
      partition: partitionOf(key, partitions),
      atMs: publishAtMs,
      subject,
      key,
      value,
      body: text,
    };
    if (this.#messages === none) this.#messages = [];
    this.#messages.push(sent);
    return sent;
  }

  effect<I, O>(type: EffectType<I, O>, input: NoInfer<I>): void {
    const id = derivedId(this.input.id, this.#context.service, "e", this.#effects.length);
    if (this.#effects === none) this.#effects = [];
    this.#effects.push({ of: type, id, input: JSON.stringify(input) });
  }

  at<T>(type: TimerType<T>, dueMs: number, ...body: T extends null ? [] : [body: T]): void {
    if (!Number.isSafeInteger(dueMs) || dueMs < 0) {
      throw new WaybillError("CONTRACT_INVALID", `Timer ${type.name}: ${dueMs} is not a time in whole milliseconds.`);
    }
    this.#timer({ of: type, dueMs, body: JSON.stringify(body[0] ?? null) });
  }

  clear(type: AnyTimerType): void {
    this.#timer({ of: type, dueMs: undefined });
  }

  #timer(timer: DraftTimer): void {
    if (this.#timers === none) this.#timers = [];
    this.#timers.push(timer);
  }

  notYet(reason: string): never {
    throw new NotYet(reason);
  }
}
