import { Worker } from "node:worker_threads";
import { messageOf, WaybillError, type World } from "@waybill/messaging";
import type { PackedWave } from "./pack.ts";
import type { FromWriter, ToWriter, WriterSettings } from "./writer.ts";

/** The file refuses what is in a wave, and would refuse it again. */
export class Refused extends Error {
  /** A state was not there with the version that it should have. */
  readonly conflict: boolean;

  constructor(message: string, conflict: boolean) {
    super(message);
    this.conflict = conflict;
  }
}

/** How the file is doing. While it is not ok, what was applied is kept in memory and tried again. */
export interface Health {
  readonly ok: boolean;
  readonly error?: string | undefined;
  /** It will not become well by itself: the file is damaged, or the writer has ended. */
  readonly fatal: boolean;
  /** Since when it is as it is, on the monotonic clock. */
  readonly sinceMs: number;
}

export interface Written {
  readonly rows: number;
  readonly ms: number;
}

// Primary result codes of SQLite (https://sqlite.org/rescode.html) that say something about the machine and not about
// the rows: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
const passing: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10, 13, 14, 15]);
// CORRUPT, NOTADB.
const damaged: ReadonlySet<number> = new Set([11, 26]);

/** A wave is garbage as soon as it is written; room for a few of them saves memory and costs no time. */
const youngMb = 4;

const retryMs = [50, 100, 250, 500, 1_000] as const;

/** The writer's thread as the rest of the process sees it: one wave at a time. */
export class WriterPort {
  readonly #world: World;
  readonly #worker: Worker;
  readonly #onHealth: (health: Health) => void;
  #waiting: { resolve: (written: Written) => void; reject: (error: Error) => void } | undefined;
  #health: Health;
  #tries = 0;
  #ended: Promise<void>;
  #closing = new AbortController();

  constructor(settings: WriterSettings, world: World, onHealth: (health: Health) => void) {
    this.#world = world;
    this.#onHealth = onHealth;
    this.#health = { ok: true, fatal: false, sinceMs: world.monotonicMs() };
    this.#worker = new Worker(new URL("./writer.ts", import.meta.url), {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
    });
    this.#worker.on("message", (message: FromWriter) => this.#hear(message));
    this.#worker.on("error", (error) => this.#die(messageOf(error)));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        if (!this.#closing.signal.aborted) this.#die("its thread has ended");
        resolve();
      });
    });
  }

  get health(): Health {
    return this.#health;
  }

  /** Resolves when the wave is durable. Rejects with Refused, or when the file can no longer be written. */
  write(wave: PackedWave): Promise<Written> {
    if (this.#health.fatal) return Promise.reject(this.broken());
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      try {
        this.#post({ kind: "wave", wave });
      } catch (error) {
        this.#refuse(messageOf(error), false);
      }
    });
  }

  /** Says that the file is damaged, as somebody else has found. */
  condemn(text: string): void {
    this.#die(`the file is damaged (${text})`);
  }

  /** Sets how large the file may become, in pages; 0 for no bound. */
  limit(pagesMax: number): void {
    this.#post({ kind: "limit", pagesMax });
  }

  /** Ends the thread after a last checkpoint. A wave that is still being tried is given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#post({ kind: "close" });
    await this.#ended;
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message, []);
  }

  #hear(message: FromWriter): void {
    if (message.kind === "done") {
      this.#tries = 0;
      if (!this.#health.ok) this.#turn({ ok: true, fatal: false });
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(message);
    } else if (message.conflict || !isOutage(message.code)) this.#refuse(message.text, message.conflict);
    else if (damaged.has(message.code)) this.condemn(message.text);
    else void this.#again(message.text);
  }

  #refuse(text: string, conflict: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Refused(text, conflict));
  }

  async #again(text: string): Promise<void> {
    if (this.#health.ok) this.#turn({ ok: false, fatal: false, error: text });
    const waitMs = retryMs[Math.min(this.#tries, retryMs.length - 1)]!;
    this.#tries += 1;
    await this.#world.sleep(waitMs, this.#closing.signal);
    if (!this.#closing.signal.aborted) this.#post({ kind: "again" });
  }

  #die(text: string): void {
    if (this.#health.fatal) return;
    this.#turn({ ok: false, fatal: true, error: text });
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.broken());
  }

  #turn(health: Omit<Health, "sinceMs">): void {
    this.#health = { ...health, sinceMs: this.#world.monotonicMs() };
    this.#onHealth(this.#health);
  }

  /** Why nothing can be written any more. */
  broken(): WaybillError {
    return new WaybillError(
      "STORE_UNAVAILABLE",
      `The file can no longer be written: ${this.#health.error ?? "it is closed"}.`,
    );
  }
}

function isOutage(code: number): boolean {
  return passing.has(code) || damaged.has(code);
}
