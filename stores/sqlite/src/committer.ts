import { WaybillError, messageOf, type World } from "@waybill/messaging";
import type { FileLog } from "./file-log.ts";
import type { Job } from "./job.ts";
import { pack } from "./pack.ts";
import { Wave } from "./wave.ts";
import { Refused, type WriterPort } from "./writer-port.ts";

/** When a wave of commits is written. */
export interface WaveLimits {
  /** A wave is sent when it holds so many inputs and messages. Under load large waves cost less: a page that many
   *  batches change is written once. Default 4,096. */
  readonly inputsPerWave: number;
  /** … or about so many bytes. Default 8 MiB. */
  readonly bytesPerWave: number;
  /** … or is so old and still growing, in milliseconds. Default 20. */
  readonly waveMsMax: number;
}

/** What was written, in all. */
export interface FileStats {
  /** Transactions, each with one fsync. */
  readonly waves: number;
  readonly rows: number;
  readonly inputs: number;
  readonly bytes: number;
  readonly lastWaveMs: number;
  /** The writer's time in all waves together. */
  readonly waveMs: number;
}

/** How many turns must have brought nothing before a wave is sent. A long batch takes a turn for each part of it. */
const quietTurnsMin = 8;

/**
 * Gathers jobs into waves. A job is applied in memory as soon as it is submitted; the wave that it is part of is written
 * in one transaction, by the writer's thread, while the next wave fills. When the next one is full and the writer is
 * still busy, jobs wait their turn.
 */
export class Committer {
  /** The waves that are not durable, the newest first: the one that fills, and the one that is being written. */
  waves: readonly Wave[] = [new Wave()];
  /** Called when all that was applied and not durable is gone, before anybody hears of it. */
  onRetracted: () => void = () => {};
  /** What else goes into a wave that is about to be sent. */
  beforeWave: () => Job | undefined = () => undefined;
  readonly #world: World;
  readonly #limits: WaveLimits;
  readonly #log: FileLog;
  readonly #writer: WriterPort;
  readonly #waiting: Job[] = [];
  readonly #idle: (() => void)[] = [];
  #armed = false;
  #arrivals = 0;
  #seen = 0;
  #quietTurns = 0;
  #redoing = false;
  #dead: WaybillError | undefined;
  #stats = { waves: 0, rows: 0, inputs: 0, bytes: 0, lastWaveMs: 0, waveMs: 0 };

  constructor(options: { world: World; limits: WaveLimits; log: FileLog; writer: WriterPort }) {
    this.#world = options.world;
    this.#limits = options.limits;
    this.#log = options.log;
    this.#writer = options.writer;
  }

  get stats(): FileStats {
    return { ...this.#stats };
  }

  get open(): Wave {
    return this.waves[0]!;
  }

  get flight(): Wave | undefined {
    return this.waves[1];
  }

  submit(job: Job): void {
    if (this.#dead !== undefined) job.failed(this.#dead);
    else if (this.#waiting.length > 0 || !this.#room()) this.#waiting.push(job);
    else this.#apply(job);
  }

  /** Refuses everything from now on, and everything that is not durable yet. */
  fail(error: WaybillError): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    const jobs = [...(this.flight?.jobs ?? []), ...this.open.jobs, ...this.#waiting.splice(0)];
    this.waves = [new Wave()];
    for (const job of jobs) job.failed(error);
    this.#settleIdle();
  }

  /** Resolves when nothing is left to be written. */
  async drained(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #isIdle(): boolean {
    return this.flight === undefined && this.open.empty && this.#waiting.length === 0 && !this.#redoing;
  }

  #settleIdle(): void {
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Whether another job may be applied now; sends a full wave if the writer is free. */
  #room(): boolean {
    if (this.#redoing) return false;
    if (!this.#isFull()) return true;
    if (this.flight !== undefined) return false;
    this.#send();
    return true;
  }

  #isFull(): boolean {
    return this.open.inputs >= this.#limits.inputsPerWave || this.open.bytes >= this.#limits.bytesPerWave;
  }

  #apply(job: Job): void {
    if (!this.#enter(job)) return;
    this.#arrivals += 1;
    job.applied();
    this.#arm();
  }

  /** Makes a job part of the open wave. */
  #enter(job: Job): boolean {
    const wave = this.open;
    if (!entered(job)) return false;
    if (wave.empty) wave.sinceMs = this.#world.monotonicMs();
    const before = wave.segments.length;
    job.write(wave);
    wave.jobs.push(job);
    wave.inputs += job.inputs;
    for (let at = before; at < wave.segments.length; at++) this.#log.show(wave.segments[at]!);
    return true;
  }

  /** Looks again after everybody had a turn: a wave is sent once it no longer grows, so that what follows from it in the
   *  same moment is part of it. */
  #arm(): void {
    if (this.#armed || this.flight !== undefined || this.open.empty || this.#redoing) return;
    this.#quietTurns = 0;
    this.#seen = this.#arrivals;
    this.#lookNext();
  }

  readonly #look = (): void => {
    this.#armed = false;
    if (this.flight !== undefined || this.open.empty || this.#redoing) return;
    const grows = this.#arrivals !== this.#seen;
    const old = this.#world.monotonicMs() - this.open.sinceMs >= this.#limits.waveMsMax;
    if (old || this.#isFull()) return this.#send();
    if (grows) return this.#arm();
    this.#quietTurns += 1;
    if (this.#quietTurns >= quietTurnsMin) this.#send();
    else this.#lookNext();
  };

  /** Lanes that were woken by what has come have their turn before. */
  #lookNext(): void {
    this.#armed = true;
    void this.#world.turn().then(this.#look);
  }

  #send(): void {
    const more = this.beforeWave();
    if (more !== undefined) this.#enter(more);
    const wave = this.open;
    this.waves = [new Wave(), wave];
    void this.#write(wave);
  }

  async #write(wave: Wave): Promise<void> {
    try {
      await this.#writeOnce(wave);
    } catch (error) {
      if (error instanceof Refused) await this.#redo();
      else this.fail(lost(error));
      return;
    }
    if (this.#dead !== undefined) return;
    this.waves = [this.open];
    this.#log.settle(wave);
    for (const job of wave.jobs) job.durable();
    this.#goOn();
  }

  async #writeOnce(wave: Wave): Promise<void> {
    const { rows, ms } = await this.#writer.write(pack(wave));
    const stats = this.#stats;
    stats.waves += 1;
    stats.rows += rows;
    stats.inputs += wave.inputs;
    stats.bytes += wave.bytes;
    stats.lastWaveMs = ms;
    stats.waveMs += ms;
  }

  #goOn(): void {
    while (this.#waiting.length > 0 && this.#room()) this.#apply(this.#waiting.shift()!);
    if (this.#isFull() && this.flight === undefined) this.#send();
    else this.#arm();
    this.#settleIdle();
  }

  /**
   * The file refuses something in a wave: it is written again, one job a transaction, up to the job that is refused.
   * What was applied after that one may rest on it and is given up.
   */
  async #redo(): Promise<void> {
    this.#redoing = true;
    const jobs = [...this.flight!.jobs, ...this.open.jobs];
    this.waves = [new Wave()];
    this.#log.retract();
    const kept: Job[] = [];
    let refused: Error | undefined;
    for (const job of jobs) {
      refused = await this.#alone(job);
      if (this.#dead !== undefined) {
        for (const one of kept) one.durable();
        for (const later of jobs.slice(kept.length)) later.failed(this.#dead);
        return;
      }
      if (refused !== undefined) break;
      kept.push(job);
    }
    this.#log.resume();
    this.onRetracted();
    this.#redoing = false;
    for (const job of kept) job.durable();
    if (refused !== undefined) giveUp(jobs.slice(kept.length), refused);
    this.#goOn();
  }

  /** Writes one job in a transaction of its own; what the file has against it. */
  async #alone(job: Job): Promise<Error | undefined> {
    const wave = new Wave();
    job.write(wave);
    wave.inputs = job.inputs;
    try {
      await this.#writeOnce(wave);
    } catch (error) {
      for (const { topic, bytes } of wave.segments) topic.bytes -= bytes;
      if (error instanceof Refused) return refusal(error);
      this.fail(lost(error));
      return undefined;
    }
    for (const segment of wave.segments) this.#log.show(segment);
    this.#log.settle(wave);
    return undefined;
  }
}

/** Whether a job has something to write; one that has not is settled at once. */
function entered(job: Job): boolean {
  try {
    if (job.enter()) return true;
  } catch (error) {
    job.failed(error as Error);
    return false;
  }
  job.applied();
  job.durable();
  return false;
}

function giveUp([first, ...later]: readonly Job[], error: Error): void {
  first!.failed(error);
  const text =
    "A batch before this one was refused, and this one may rest on it; it was not kept. Read the lane's row again.";
  for (const job of later) job.failed(new WaybillError("COMMIT_UNKNOWN", text, { cause: error }));
}

function refusal(error: Refused): WaybillError {
  if (error.conflict) {
    return new WaybillError("STATE_CONFLICT", "A state is not stored with the version that this batch goes on from.", {
      cause: error,
    });
  }
  return new WaybillError("BATCH_REFUSED", `The file refuses a row of this batch: ${error.message}.`, { cause: error });
}

function lost(error: unknown): WaybillError {
  if (error instanceof WaybillError) return error;
  return new WaybillError("STORE_UNAVAILABLE", `The writer has ended: ${messageOf(error)}.`, { cause: error });
}
