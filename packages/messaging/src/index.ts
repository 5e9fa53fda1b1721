export { codeOf, errorCodes, messageOf, WaybillError, type ErrorCode } from "./errors.ts";
export {
  bodyBytes,
  bodyText,
  type Body,
  type Envelope,
  type Position,
  type Stamp,
  type StoredMessage,
  type TopicPartition,
} from "./message.ts";
export { readRecord, unreadable, writeAttributes, type RecordPlace } from "./cloud-events.ts";
export { murmur2, partitionOf } from "./partition.ts";
export { check, checked, type Issue, type Schema } from "./schema.ts";
export {
  command,
  event,
  topic,
  upcast,
  type AnyMessageType,
  type MessageOptions,
  type MessageType,
  type Topic,
  type TopicOptions,
  type Upcast,
  type Versioned,
} from "./contract.ts";
export {
  effect,
  reads,
  service,
  state,
  timer,
  when,
  whenDue,
  whenSettled,
  type AnyEffectType,
  type AnyTimerType,
  type EffectOptions,
  type EffectResult,
  type EffectType,
  type Fired,
  type Frozen,
  type Held,
  type InputInfo,
  type Out,
  type Outcome,
  type Rule,
  type Sent,
  type Service,
  type ServiceOptions,
  type StateKind,
  type StateRef,
  type TimerType,
} from "./service.ts";
export type { AnyEffectAdapter, EffectAdapter, EffectCall, TryAgain } from "./effects.ts";
export type {
  Append,
  AppendResult,
  Fetched,
  FetchLimits,
  PartitionBounds,
  Reader,
  TopicSpec,
  Transport,
} from "./transport.ts";
export { bareBatch } from "./lane/bare-batch.ts";
export { saidBy } from "./store.ts";
export type {
  Batch,
  Commit,
  EffectKey,
  EffectRow,
  InputKind,
  LaneId,
  LaneRow,
  Member,
  OutboxDestination,
  OutgoingMessage,
  ParkedInput,
  ParkedKey,
  PositionRow,
  Recovered,
  SeenRow,
  SentRow,
  StateKey,
  StateRow,
  StateWrite,
  Store,
  TimerKey,
  TimerRow,
} from "./store.ts";
export { rehearse, type Rehearsed, type RehearseOptions } from "./rehearse.ts";
export { shareReading } from "./shared-reading/share-reading.ts";
export type { FeedsOptions } from "./shared-reading/feeds.ts";
export type { FeedLimits } from "./shared-reading/feed.ts";
export type { World } from "./world.ts";
export { openPublisher, type Published, type Publisher, type PublisherOptions } from "./publisher.ts";
export { startRelay, type Relay, type RelayOptions } from "./relay.ts";
export type { Spool, Spooled, ToSpool } from "./spool.ts";
export { startWorker, type Running, type Worker, type WorkerOptions } from "./worker.ts";
export { mirrorName, type Mirroring } from "./mirror/mirror-lanes.ts";
export type { LaneStatus } from "./lane/status.ts";
export { laneLimits, type LaneLimits } from "./lane/limits.ts";
