import { upcast, type AnyMessageType, type Topic } from "../contract.ts";
import { codeOf, messageOf, WaybillError } from "../errors.ts";
import { bodyText } from "../message.ts";
import { checked } from "../schema.ts";
import type { Rule, Service } from "../service.ts";
import type { Input } from "./input.ts";

/** A service's rules, found by what an input is. */
export interface Routes {
  readonly service: Service;
  readonly topics: ReadonlyMap<string, TopicRoutes>;
  readonly timers: ReadonlyMap<string, Rule>;
  readonly results: ReadonlyMap<string, Rule>;
  readonly sends: ReadonlySet<AnyMessageType>;
  /** Some door of the service drops repeats by (producer, id). */
  readonly remembersSeen: boolean;
}

export interface TopicRoutes {
  readonly topic: Topic;
  readonly rules: ReadonlyMap<string, Rule>;
  /** Every type that this build knows on the topic, handled by this service or not. */
  readonly known: ReadonlySet<string>;
}

/** @param types every message type of the build, so that an unknown one can be told from one that is not ours. */
export function routesOf(service: Service, types: readonly AnyMessageType[]): Routes {
  const topics = new Map<string, { topic: Topic; rules: Map<string, Rule>; known: Set<string> }>();
  const timers = new Map<string, Rule>();
  const results = new Map<string, Rule>();
  for (const rule of service.rules) {
    const { on } = rule;
    if (on.kind === "timer") timers.set(on.type.name, rule);
    else if (on.kind === "result") results.set(on.type.name, rule);
    else {
      const { topic } = on.type;
      const routes = topics.get(topic.name) ?? { topic, rules: new Map(), known: new Set() };
      topics.set(topic.name, routes);
      routes.rules.set(on.type.name, rule);
      routes.known.add(on.type.name);
    }
  }
  for (const type of types) topics.get(type.topic.name)?.known.add(type.name);
  const remembersSeen = [...topics.values()].some(({ topic }) => topic.dedupeMs !== undefined);
  return { service, topics, timers, results, sends: new Set(service.sends), remembersSeen };
}

/** The rule for an input; undefined when it is a message that this service has no use for. */
export function ruleOf(routes: Routes, input: Input): Rule | undefined {
  if (input.kind === "message") return messageRule(routes, input);
  const rule = input.kind === "timer" ? routes.timers.get(input.type) : routes.results.get(input.type);
  if (rule === undefined) {
    throw new WaybillError(
      "MESSAGE_UNKNOWN",
      `Service "${routes.service.name}" has no rule for ${input.kind} ${input.type}.`,
    );
  }
  return rule;
}

function messageRule(routes: Routes, input: Input): Rule | undefined {
  const topic = routes.topics.get(input.topic ?? "");
  const rule = topic?.rules.get(input.type);
  if (rule !== undefined || topic?.known.has(input.type) === true) return rule;
  if (topic?.topic.door === false) {
    // Its writers are ours: a newer build of them sends what this one has not heard of.
    throw new WaybillError(
      "LEVEL_TOO_LOW",
      `Topic "${input.topic}" carries ${input.type}, which this build does not know.`,
    );
  }
  throw new WaybillError("MESSAGE_UNKNOWN", `Topic "${input.topic}" takes no ${input.type}.`);
}

/** The body that a rule's handler gets: parsed, lifted to this build's version, and checked. */
export function decode(rule: Rule, input: Input): unknown {
  const { on } = rule;
  if (on.kind === "message" && input.value !== undefined) return input.value;
  const body = parsed(input);
  if (on.kind === "message") {
    const lifted = upcast(input.type, on.type, input.schema, body);
    return checked(on.type, lifted, "MESSAGE_INVALID", "As read:");
  }
  if (on.kind === "timer") {
    return { key: input.subject, dueMs: input.atMs, body: upcast(input.type, on.type, input.schema, body) };
  }
  const result = body as { input: unknown; outcome: unknown };
  return { input: upcast(input.type, on.type, input.schema, result.input), outcome: result.outcome };
}

function parsed(input: Input): unknown {
  if (input.value !== undefined) return input.value;
  try {
    return JSON.parse(bodyText(input.body)) as unknown;
  } catch (error) {
    if (codeOf(error) !== undefined) throw error;
    throw new WaybillError("MESSAGE_UNREADABLE", `The body of ${input.type} is not JSON in UTF-8: ${messageOf(error)}`);
  }
}
