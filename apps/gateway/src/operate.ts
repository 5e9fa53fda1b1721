import { setTimeout as wait } from "node:timers/promises";
import { attemptCounter } from "./attempts.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import { QueueFull } from "./group-commit.ts";
import type { Ledger, OperationRequest, Performed } from "./ledger.ts";
import { fieldProblem, Problem } from "./problem.ts";
import { rateLimiter } from "./rate-limiter.ts";
import type { Operation } from "./rows.ts";
import { behaviourOf } from "./tokens.ts";

/** What goes back over the wire: an operation, nothing while the caller waits, or a cut connection. */
export type Reply = Operation | "silence" | "cut";

export interface OperateOptions {
  readonly ledger: Ledger;
  readonly faults: () => Faults;
  readonly dice: Dice;
  readonly slowTokenMs: number;
  /** Aborted when the gateway closes; whoever waits then has its connection cut. */
  readonly closing: AbortSignal;
  /** The wall clock, in milliseconds since 1970. */
  readonly now: () => number;
}

export interface Operate {
  /** Meets the token's and the faults' troubles on the way. Throws a Problem for what is answered with an error. */
  perform(request: OperationRequest, token: string): Promise<Reply>;
  /** What is known under a key; undefined when it was never used. Throws a Problem while it is in flight. */
  find(key: string): Promise<Operation | undefined>;
}

/** How many keys' attempts are remembered: those of troubles that pass after a few. */
const keysCounted = 65_536;

/** Operations with all that a gateway may do wrong around them. */
export function operating(options: OperateOptions): Operate {
  const { ledger, closing } = options;
  const inFlight = new Set<string>();
  const tokenAttempt = attemptCounter(keysCounted);
  const faultAttempt = attemptCounter(keysCounted);
  const mayCall = rateLimiter(options.now);

  function refuseWhenNotOpen(): void {
    const faults = options.faults();
    if (faults.unavailable) throw unavailable();
    if (faults.callsPerSecond !== null && !mayCall(faults.callsPerSecond)) throw rateLimited();
  }

  function refuseInFlight(key: string): void {
    if (!inFlight.has(key)) return;
    throw new Problem(409, "key_in_flight", "An operation with this key is under way: ask again when it has ended.");
  }

  /** Rolls for one attempt; without faults nothing is counted and nothing happens. */
  function rollsFor(what: string, key: string): (purpose: keyof Faults) => boolean {
    const faults = options.faults();
    if (faults.errorRate + faults.lostAnswerRate + faults.slowRate === 0) return () => false;
    const attempt = faultAttempt(`${what} ${key}`);
    return (purpose) => options.dice(`${what} ${purpose}`, key, attempt) < Number(faults[purpose]);
  }

  async function perform(request: OperationRequest, token: string): Promise<Reply> {
    refuseWhenNotOpen();
    refuseInFlight(request.key);
    const behaviour = behaviourOf(token, request.kind);
    if (behaviour.first !== undefined && ledger.find(request.key) === undefined) {
      const meets = tokenAttempt(request.key) <= behaviour.first.attempts;
      if (meets && behaviour.first.meet === "silence") return "silence";
      if (meets) throw behaviour.first.meet === "error" ? simulatedError() : rateLimited();
    }
    const hit = rollsFor("operation", request.key);
    if (hit("errorRate")) throw simulatedError();
    const performed = await whileInFlight(request, hit("slowRate"));
    const operation = answered(performed);
    const answer = performed.repeated ? undefined : behaviour.answer;
    if (answer === "late" && !(await waited(options.slowTokenMs))) return "cut";
    return answer === "lost" || hit("lostAnswerRate") ? "cut" : operation;
  }

  async function whileInFlight(request: OperationRequest, slow: boolean): Promise<Performed & { repeated?: boolean }> {
    inFlight.add(request.key);
    try {
      if (slow && !(await waited(options.faults().slowMs))) throw closingProblem();
      return await ledger.perform(request);
    } catch (error) {
      throw error instanceof QueueFull ? busy(error) : error;
    } finally {
      inFlight.delete(request.key);
    }
  }

  /** Waits; false when the gateway closed meanwhile. */
  function waited(ms: number): Promise<boolean> {
    return wait(ms, true, { signal: closing }).catch(() => false);
  }

  async function find(key: string): Promise<Operation | undefined> {
    refuseWhenNotOpen();
    const hit = rollsFor("look-up", key);
    if (hit("errorRate")) throw simulatedError();
    if (hit("slowRate")) await waited(options.faults().slowMs);
    refuseInFlight(key);
    return ledger.find(key);
  }

  return { perform, find };
}

function answered(performed: Performed): Operation {
  if ("operation" in performed) return performed.operation;
  const { kind, payment } = performed.keyUsedFor;
  const reason = `was used before for another request (${kind} of payment ${payment}): a key belongs to one request for ever, so take a new one`;
  throw fieldProblem(422, "key_reused", "Idempotency-Key", reason);
}

function unavailable(): Problem {
  return new Problem(503, "unavailable", "The gateway is switched off by its fault settings.");
}

function simulatedError(): Problem {
  return new Problem(500, "simulated_error", "An error that was asked for by a test token or the fault settings.");
}

function rateLimited(): Problem {
  return new Problem(429, "rate_limited", "Too many requests, as the test token or the fault settings ask for.", {
    retryAfterS: 1,
  });
}

function busy(error: QueueFull): Problem {
  return new Problem(429, "busy", `${error.message} Nothing was done: send it again.`, {
    retryAfterS: 1,
  });
}

function closingProblem(): Problem {
  return new Problem(503, "closing", "The gateway is closing; nothing was done.");
}
