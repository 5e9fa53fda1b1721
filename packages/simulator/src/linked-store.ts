import { WaybillError, type Batch, type Commit, type ErrorCode, type Store } from "@waybill/messaging";
import { fine, type CallKind, type Fate, type Network } from "./network.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** A batch that the database has kept. */
export type Committed = (batch: Batch) => void;

const lateMsMax = 20_000;

/**
 * A process' way to a database: every call takes its time and may fail as the weather has it. `committed` hears of each
 * batch that is kept, whatever its caller is told.
 */
export function linkedStore(
  process: SimulatedProcess,
  store: Store,
  network: Network,
  committed: Committed = () => {},
): Store {
  const { weather, chance } = network;

  function ask<Args extends unknown[], Result>(
    call: (...args: Args) => Promise<Result>,
    kind?: CallKind,
  ): (...args: Args) => Promise<Result> {
    return (...args) => network.call(process, kind, () => call(...args), fateOfCall());
  }

  function fateOfCall(): Fate {
    if (weather.callFails + weather.callAnswerLost === 0) return fine;
    const roll = chance.next();
    if (roll < weather.callFails) return { kind: "lost", error: failure("STORE_UNAVAILABLE", "not reached") };
    if (roll < weather.callFails + weather.callAnswerLost)
      return { kind: "answer-lost", error: failure("STORE_UNAVAILABLE", "gone before it answered") };
    return fine;
  }

  function fateOfCommit(): Fate {
    const { commitAnswerLost, commitLost, commitLate } = weather;
    if (commitAnswerLost + commitLost + commitLate === 0) return fine;
    const error = failure("COMMIT_UNKNOWN", "gone before it answered");
    const roll = chance.next();
    if (roll < commitAnswerLost) return { kind: "answer-lost", error };
    if (roll < commitAnswerLost + commitLost) return { kind: "lost", error };
    if (roll < commitAnswerLost + commitLost + commitLate)
      return { kind: "late", error, ms: chance.between(1, lateMsMax) };
    return fine;
  }

  async function keep(batch: Batch): Promise<void> {
    await store.commit(batch).durable;
    committed(batch);
  }

  return {
    nowMs: () => store.nowMs(),
    hosts: (topic) => store.hosts(topic),
    commit: (batch): Commit => {
      const kept = network.call(process, "commit", () => keep(batch), fateOfCommit());
      kept.catch(() => undefined);
      return { applied: kept, durable: kept };
    },
    watch: (services, freed) => store.watch(services, () => process.reach(freed)),
    declare: ask((service, lanes, newSource) => store.declare(service, lanes, newSource)),
    join: ask((member, ttlMs) => store.join(member, ttlMs)),
    renew: ask((memberId, ttlMs) => store.renew(memberId, ttlMs)),
    leave: ask((memberId) => store.leave(memberId)),
    survey: ask((services) => store.survey(services)),
    claim: ask((id, memberId, level, seenEpoch) => store.claim(id, memberId, level, seenEpoch), "claim"),
    release: ask((id, epoch) => store.release(id, epoch)),
    lane: ask((id) => store.lane(id)),
    mark: ask((id, epoch, change) => store.mark(id, epoch, change)),
    resume: ask((id) => store.resume(id)),
    recover: ask((id) => store.recover(id)),
    load: ask((service, keys) => store.load(service, keys)),
    timers: ask((id, dueMs, limit) => store.timers(id, dueMs, limit)),
    nextTimer: ask((id) => store.nextTimer(id)),
    effectHeads: ask((id, dueMs, limit, except) => store.effectHeads(id, dueMs, limit, except)),
    nextEffect: ask((service, after) => store.nextEffect(service, after)),
    nextEffectDue: ask((id) => store.nextEffectDue(id)),
    outbox: ask((id, destination, afterN, limit) => store.outbox(id, destination, afterN, limit)),
    trimOutbox: ask((id, upTo) => store.trimOutbox(id, upTo)),
    parkedKeys: ask((service) => store.parkedKeys(service)),
    parked: ask((service, partition, key, afterSeq, limit) => store.parked(service, partition, key, afterSeq, limit)),
    seen: ask((service, keys) => store.seen(service, keys)),
    forgetSeen: ask((service, beforeMs, limit) => store.forgetSeen(service, beforeMs, limit)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function failure(code: ErrorCode, how: string): WaybillError {
  return new WaybillError(code, `The database was ${how}.`);
}
