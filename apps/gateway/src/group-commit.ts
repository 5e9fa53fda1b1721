import type { DatabaseSync } from "node:sqlite";

/** The queue is as long as it may be; nothing was done. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** Jobs that arrive together share one transaction and one fsync; each is answered after it. */
export interface GroupCommit {
  /**
   * Runs `job` in the next transaction and resolves with its result once that is on the disk. Rejects with QueueFull,
   * or with the database's error, after which nothing of the whole transaction has happened.
   */
  run<T>(job: () => T): Promise<T>;
  /** Commits what is waiting. Nothing may be run after it. */
  flush(): void;
}

interface Waiting {
  run(): void;
  settle(): void;
  reject(error: unknown): void;
}

/** Group commit over one database. While a commit blocks the thread, the next group gathers in the sockets. */
export function groupCommit(db: DatabaseSync, limits: { group: number; queue: number }): GroupCommit {
  let queue: Waiting[] = [];
  let scheduled = false;

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      commit(queue.splice(0, limits.group));
      schedule();
    });
  }

  function commit(group: readonly Waiting[]): void {
    if (group.length === 0) return;
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const waiting of group) waiting.run();
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      for (const waiting of group) waiting.reject(error);
      return;
    }
    for (const waiting of group) waiting.settle();
  }

  return {
    run<T>(job: () => T): Promise<T> {
      if (queue.length >= limits.queue) return Promise.reject(new QueueFull("Too many operations are waiting."));
      return new Promise<T>((resolve, reject) => {
        let result: T;
        queue.push({ run: () => (result = job()), settle: () => resolve(result), reject });
        schedule();
      });
    },
    flush() {
      const group = queue;
      queue = [];
      commit(group);
    },
  };
}
