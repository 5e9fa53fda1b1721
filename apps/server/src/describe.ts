import type { AnyMessageType, Service, Topic } from "@waybill/messaging";
import { reads } from "@waybill/messaging";

/** A shop as its contracts and services declare it. */
export interface Described {
  readonly topics: readonly TopicDescribed[];
  readonly messages: readonly MessageDescribed[];
  readonly services: readonly ServiceDescribed[];
}

export interface TopicDescribed {
  readonly topic: string;
  /** A door takes messages from outside; on the others only the writers speak. */
  readonly door: boolean;
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  readonly bytesMax: number;
}

export interface MessageDescribed {
  readonly type: string;
  readonly kind: "event" | "command";
  readonly version: number;
  readonly topic: string;
  readonly senders: readonly string[];
  /** Services with a rule for it. */
  readonly readers: readonly string[];
}

export interface ServiceDescribed {
  readonly service: string;
  readonly level: number;
  /** The most lanes that it may have; undefined: as many as there are partitions. */
  readonly lanesMax: number | undefined;
  readonly reads: readonly string[];
  readonly handles: readonly string[];
  readonly sends: readonly string[];
  readonly timers: readonly string[];
  /** Calls to the outside whose results it handles. */
  readonly effects: readonly string[];
}

/** Who sends and who reads what. */
export function describe(
  services: readonly Service[],
  topics: readonly Topic[],
  messages: readonly AnyMessageType[],
): Described {
  return {
    topics: topics.map((topic) => ({
      topic: topic.name,
      door: topic.door,
      writers: topic.writers,
      readers: services.filter((service) => reads(service).includes(topic.name)).map(({ name }) => name),
      bytesMax: topic.bytesMax,
    })),
    messages: messages.map((message) => ({
      type: message.name,
      kind: message.kind,
      version: message.version,
      topic: message.topic.name,
      senders: services.filter(({ sends }) => sends.includes(message)).map(({ name }) => name),
      readers: services.filter((service) => handles(service, message)).map(({ name }) => name),
    })),
    services: services.map((service) => ({
      service: service.name,
      level: service.level,
      lanesMax: service.lanesMax,
      reads: reads(service),
      handles: namesOf(service, "message"),
      sends: service.sends.map(({ name }) => name),
      timers: namesOf(service, "timer"),
      effects: namesOf(service, "result"),
    })),
  };
}

function handles({ rules }: Service, message: AnyMessageType): boolean {
  return rules.some(({ on }) => on.kind === "message" && on.type === message);
}

function namesOf({ rules }: Service, kind: "message" | "timer" | "result"): readonly string[] {
  return rules.flatMap(({ on }) => (on.kind === kind ? [on.type.name] : []));
}
