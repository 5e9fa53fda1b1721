/** A bell that a loop waits at. Ringing it while nobody waits is remembered once. */
export class Bell {
  #rung = false;
  #waiting: (() => void) | undefined;

  ring(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#rung = true;
      return;
    }
    this.#waiting = undefined;
    waiting();
  }

  /** Resolves at once when the bell has rung since the last wait, else when it rings. One waiter at a time. */
  wait(): Promise<void> {
    if (this.#rung) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

/** A promise with its handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
