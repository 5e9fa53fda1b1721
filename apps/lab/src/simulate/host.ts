import { messageOf, startWorker, type Worker } from "@waybill/messaging";
import { mailEffects } from "@waybill/notifications";
import { linkedStore, linkedTransport, SimulatedProcess, type Death } from "@waybill/simulator";
import { buildOf } from "./build.ts";
import type { Scene } from "./scene.ts";

/** A machine that runs the shop's process, and starts it again when it is told to. */
export class Host {
  readonly #scene: Scene;
  readonly #number: number;
  #starts = 0;
  level = 1;
  process: SimulatedProcess | undefined;
  worker: Worker | undefined;

  constructor(scene: Scene, number: number) {
    this.#scene = scene;
    this.#number = number;
  }

  start(): void {
    if (this.process !== undefined) return;
    const { scheduler, network, store, logs, gateway, setting, chance, lines } = this.#scene;
    const process = new SimulatedProcess(`p${this.#number}`, scheduler, chance, lines.add);
    this.process = process;
    const build = buildOf(setting, this.level);
    const transport = linkedTransport(process, logs, network);
    const starting = startWorker({
      store: linkedStore(process, store, network, this.#scene.committed),
      world: process.world,
      services: build.services,
      types: build.types,
      adapters: {
        ...gateway.adapters(process),
        ...mailEffects(this.#scene.mailbox.mailer(process), this.#scene.mailbox.options),
      },
      transportOf: () => transport,
      partitions: setting.partitions,
      build: build.name,
      host: `p${this.#number} ${++this.#starts}`,
      freeze: setting.freeze,
      tickMs: setting.tickMs,
      ttlMs: setting.tickMs * 5,
      limits: { outboxGraceMs: setting.outboxGraceMs },
    });
    starting.then(
      (worker) => {
        if (this.process === process) this.worker = worker;
      },
      (error: unknown) => {
        lines.add({
          atMs: scheduler.nowMs,
          process: process.name,
          level: "warn",
          text: "It could not start, and ended.",
          facts: { error: messageOf(error) },
        });
        this.#died(process, 1_000);
      },
    );
  }

  /** kill -9. */
  crash(awayMs: number): void {
    const { process } = this;
    if (process === undefined) return;
    process.kill();
    this.#died(process, awayMs);
  }

  /** SIGTERM: it ends in good order, as far as it can. */
  close(awayMs: number): void {
    const { process, worker } = this;
    if (process === undefined || worker === undefined || process.isPaused) return this.crash(awayMs);
    const ended = (): void => {
      process.kill();
      this.#died(process, awayMs);
    };
    this.worker = undefined;
    worker.close().then(ended, ended);
    // What does not end by itself is killed, as any supervisor does.
    this.#scene.scheduler.after(10_000, ended);
  }

  #died(process: SimulatedProcess, awayMs: number): void {
    if (this.process !== process) return;
    this.process = undefined;
    this.worker = undefined;
    this.#scene.scheduler.after(awayMs, () => this.start());
  }

  pause(ms: number): void {
    this.process?.pause(ms);
  }

  /** Dies at its n-th call of a kind from now on. */
  dieAt(death: Pick<Death, "call" | "when"> & { readonly after: number; readonly awayMs: number }): void {
    const { call, when, after, awayMs } = death;
    const { deaths } = this.#scene.network;
    deaths.add({ process: `p${this.#number}`, call, when, left: after, die: () => this.crash(awayMs) });
  }
}
