import type { AnyEffectAdapter } from "../effects.ts";
import { WaybillError } from "../errors.ts";
import type { AnyEffectType, Service } from "../service.ts";

/** An effect type with the hands that do it. */
export interface BoundEffect {
  readonly type: AnyEffectType;
  readonly adapter: AnyEffectAdapter;
}

/** Binds a service's effects to their adapters; throws when one is missing, or unsafe for money. */
export function bindEffects(
  service: Service,
  adapters: Readonly<Record<string, AnyEffectAdapter>>,
): ReadonlyMap<string, BoundEffect> {
  const bound = new Map<string, BoundEffect>();
  for (const { on } of service.rules) {
    if (on.kind !== "result") continue;
    const adapter = adapters[on.type.name];
    if (adapter === undefined) {
      throw new WaybillError(
        "EFFECT_UNBOUND",
        `Service "${service.name}" has no adapter for its effect ${on.type.name}.`,
      );
    }
    if (on.type.money && adapter.idempotent === "none") {
      throw new WaybillError(
        "EFFECT_UNSAFE",
        `Effect ${on.type.name} moves money; its adapter cannot repeat a call safely.`,
      );
    }
    if (adapter.idempotent === "key" && adapter.keyTtlMs === undefined) {
      throw new WaybillError(
        "EFFECT_UNSAFE",
        `The adapter of ${on.type.name} does not say how long a key is remembered.`,
      );
    }
    if (adapter.idempotent === "find" && adapter.find === undefined) {
      throw new WaybillError("EFFECT_UNSAFE", `The adapter of ${on.type.name} says "find" and has no find.`);
    }
    bound.set(on.type.name, { type: on.type, adapter });
  }
  return bound;
}

const concurrencyDefault = 32;

/** How many calls one of so many lanes may have under way: a limit holds for the whole shop. At least one. */
export function shareOf(bound: BoundEffect | undefined, lanes: number): number {
  return Math.max(1, Math.floor((bound?.adapter.concurrency ?? concurrencyDefault) / lanes));
}
