import { WaybillError, type Batch, type Commit, type ErrorCode, type Store } from "@waybill/messaging";

/** What befalls one commit. */
export type CommitFault =
  /** The batch is kept, and the caller is told that its outcome is not known. */
  | { readonly kind: "unknown-done" }
  /** Nothing is kept, and the caller is told that its outcome is not known. */
  | { readonly kind: "unknown-not-done" }
  /** Nothing is kept, and the caller is told so. */
  | { readonly kind: "unavailable" }
  /** Nothing is kept, and the same batch would be refused again. */
  | { readonly kind: "refused" }
  /** It is applied at once and durable after this. */
  | { readonly kind: "late"; readonly until: () => Promise<void> }
  /** It is made after this. */
  | { readonly kind: "delay"; readonly until: () => Promise<void> };

/** Calls of a store that answer with a promise, other than its commit. */
export type StoreCall = Exclude<keyof Store, "nowMs" | "hosts" | "watch" | "commit" | symbol>;

/** Decides, call by call, what goes wrong; undefined: nothing. */
export interface StorePlan {
  readonly commit?: (batch: Batch) => CommitFault | undefined;
  /** `unavailable`: the call rejects with STORE_UNAVAILABLE and has done nothing. */
  readonly call?: (name: StoreCall) => CallFault | undefined;
}

/** What goes wrong with a call. */
export type CallFault = Extract<CommitFault, { kind: "unavailable" | "delay" }>;

/** The store with faults. */
export function faultyStore(store: Store, plan: StorePlan): Store {
  /** A call of the store that first asks the plan. */
  function faulty<Args extends unknown[], Result>(
    name: StoreCall,
    call: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result> {
    return async (...args) => {
      const fault = plan.call?.(name);
      if (fault?.kind === "unavailable") throw made("STORE_UNAVAILABLE", name);
      if (fault?.kind === "delay") await fault.until();
      return await call(...args);
    };
  }
  return {
    nowMs: () => store.nowMs(),
    hosts: (topic) => store.hosts(topic),
    watch: (services, freed) => store.watch(services, freed),
    commit: (batch) => faultyCommit(store, plan.commit?.(batch), batch),
    declare: faulty("declare", (...args) => store.declare(...args)),
    join: faulty("join", (...args) => store.join(...args)),
    renew: faulty("renew", (...args) => store.renew(...args)),
    leave: faulty("leave", (...args) => store.leave(...args)),
    survey: faulty("survey", (...args) => store.survey(...args)),
    claim: faulty("claim", (...args) => store.claim(...args)),
    release: faulty("release", (...args) => store.release(...args)),
    lane: faulty("lane", (...args) => store.lane(...args)),
    mark: faulty("mark", (...args) => store.mark(...args)),
    resume: faulty("resume", (...args) => store.resume(...args)),
    recover: faulty("recover", (...args) => store.recover(...args)),
    load: faulty("load", (...args) => store.load(...args)),
    timers: faulty("timers", (...args) => store.timers(...args)),
    nextTimer: faulty("nextTimer", (...args) => store.nextTimer(...args)),
    effectHeads: faulty("effectHeads", (...args) => store.effectHeads(...args)),
    nextEffect: faulty("nextEffect", (...args) => store.nextEffect(...args)),
    nextEffectDue: faulty("nextEffectDue", (...args) => store.nextEffectDue(...args)),
    outbox: faulty("outbox", (...args) => store.outbox(...args)),
    trimOutbox: faulty("trimOutbox", (...args) => store.trimOutbox(...args)),
    parkedKeys: faulty("parkedKeys", (...args) => store.parkedKeys(...args)),
    parked: faulty("parked", (...args) => store.parked(...args)),
    seen: faulty("seen", (...args) => store.seen(...args)),
    forgetSeen: faulty("forgetSeen", (...args) => store.forgetSeen(...args)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function faultyCommit(store: Store, fault: CommitFault | undefined, batch: Batch): Commit {
  switch (fault?.kind) {
    case undefined:
      return store.commit(batch);
    case "unavailable":
      return both(Promise.reject(made("STORE_UNAVAILABLE", "commit")));
    case "refused":
      return both(Promise.reject(made("BATCH_REFUSED", "commit")));
    case "late":
      return late(store.commit(batch), fault.until);
    case "unknown-not-done":
      return both(Promise.reject(made("COMMIT_UNKNOWN", "commit")));
    case "unknown-done":
      return both(answerLost(store.commit(batch)));
    case "delay":
      return delayed(fault.until().then(() => store.commit(batch)));
    default:
      return fault;
  }
}

function late({ applied, durable }: Commit, until: () => Promise<void>): Commit {
  return { applied, durable: handled(Promise.all([durable, applied.then(until)]).then(() => undefined)) };
}

function delayed(commit: Promise<Commit>): Commit {
  return {
    applied: handled(commit.then(({ applied }) => applied)),
    durable: handled(commit.then(({ durable }) => durable)),
  };
}

/** Waits until the batch is kept, then says that nobody knows. A refusal is told as it is. */
async function answerLost({ applied, durable }: Commit): Promise<void> {
  await Promise.all([applied, durable]);
  throw made("COMMIT_UNKNOWN", "commit");
}

function both(outcome: Promise<void>): Commit {
  return { applied: handled(outcome), durable: handled(outcome) };
}

/** A caller may look at one of a commit's two promises only; the other's rejection is then nobody's. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

function made(code: ErrorCode, call: string): WaybillError {
  return new WaybillError(code, `The call of "${call}" was made to fail.`, { details: { call } });
}
