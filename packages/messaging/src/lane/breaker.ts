/**
 * A circuit breaker: whether calls of a queue to the outside are made. Closed, they are. After the calls of several entities
 * failed in a row it opens: none is made for a while, then a single one (half-open), whose end closes it again or opens it
 * for longer. An answer that asks for patience holds all calls for that long. Times are in milliseconds of one clock that
 * only rises. A value; each function gives the next one.
 */
export interface Breaker {
  /** Entities whose calls failed while none was answered. */
  readonly failed: ReadonlySet<string>;
  /** How many times in a row it has opened; 0 while it is closed. */
  readonly opened: number;
  readonly openUntilMs: number;
  readonly heldUntilMs: number;
  /** The single call of a half-open one is under way. */
  readonly isProbing: boolean;
}

export interface BreakerLimits {
  /** How many entities' calls must fail in a row: one that always fails never stops the others. */
  readonly entities: number;
  /** For how long it opens at first; twice as long each time in a row, up to `openMsMax`. */
  readonly openMs: number;
  readonly openMsMax: number;
}

export const breakerLimits: BreakerLimits = { entities: 5, openMs: 1_000, openMsMax: 30_000 };

const nobody: ReadonlySet<string> = new Set();

export const closed: Breaker = { failed: nobody, opened: 0, openUntilMs: 0, heldUntilMs: 0, isProbing: false };

/** How long until a call may begin; 0: now. Undefined: when the call under way has ended. */
export function waitMs(breaker: Breaker, nowMs: number): number | undefined {
  if (breaker.isProbing) return undefined;
  return Math.max(0, breaker.openUntilMs - nowMs, breaker.heldUntilMs - nowMs);
}

/** A call begins, which `waitMs` allowed. */
export function begun(breaker: Breaker): Breaker {
  return breaker.opened === 0 ? breaker : { ...breaker, isProbing: true };
}

/** A call was answered, be it with a no: the other side is there. */
export function answered(breaker: Breaker): Breaker {
  if (breaker.opened === 0 && breaker.failed.size === 0) return breaker;
  return { ...closed, heldUntilMs: breaker.heldUntilMs };
}

/** The other side asked for patience. */
export function held(breaker: Breaker, untilMs: number): Breaker {
  return { ...breaker, heldUntilMs: Math.max(breaker.heldUntilMs, untilMs) };
}

/** A call ended without telling anything of the other side. */
export function untold(breaker: Breaker, isProbe: boolean): Breaker {
  return isProbe ? { ...breaker, isProbing: false } : breaker;
}

/** A call got no answer, or one that tells that the other side is in trouble. `isProbe`: it began half-open. */
export function failed(
  breaker: Breaker,
  entity: string,
  isProbe: boolean,
  nowMs: number,
  limits: BreakerLimits = breakerLimits,
): Breaker {
  // Calls that were under way when it opened say nothing new.
  if (breaker.opened > 0) return isProbe ? openedAgain(breaker, nowMs, limits) : breaker;
  const entities = new Set(breaker.failed).add(entity);
  const known = { ...breaker, failed: entities };
  return entities.size < limits.entities ? known : openedAgain(known, nowMs, limits);
}

function openedAgain(breaker: Breaker, nowMs: number, { openMs, openMsMax }: BreakerLimits): Breaker {
  const pauseMs = Math.min(openMs * 2 ** breaker.opened, openMsMax);
  return { ...breaker, opened: breaker.opened + 1, openUntilMs: nowMs + pauseMs, isProbing: false };
}
