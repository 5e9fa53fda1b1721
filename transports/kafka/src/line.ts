import { Connection, type Callback, type ConnectionOptions } from "@platformatic/kafka";
import { messageOf, WaybillError } from "@waybill/messaging";

/** Where a broker listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Sends one request on a connection; `done` gets the answer. */
export type Send<T> = (connection: Connection, done: Callback<T>) => void;

interface Pending {
  reject(error: WaybillError): void;
}

/** How long a connection, with its TLS and login, may take. */
const connectMs = 3_000;
/** A broker answers the requests of one connection one after the other: few need to be on their way at once. */
const inflightMax = 64;

/**
 * One connection to one broker. Every call ends by its deadline, whatever becomes of the broker: a connection that misses
 * one is closed, with all that is under way on it, and a new one is opened for what comes next.
 */
export class Line {
  readonly endpoint: Endpoint;
  readonly #connection: Connection;
  readonly #ready: Promise<void>;
  readonly #pending = new Set<Pending>();
  #ended: WaybillError | undefined;

  constructor(endpoint: Endpoint, clientId: string, options: ConnectionOptions) {
    this.endpoint = endpoint;
    this.#connection = new Connection(clientId, {
      ...options,
      connectTimeout: connectMs,
      requestTimeout: 120_000,
      maxInflights: inflightMax,
    });
    this.#connection.on("error", (error) => this.#end(`failed: ${reasonOf(error)}`, error));
    this.#connection.on("close", () => this.#end("was closed", undefined));
    this.#ready = this.#connect(endpoint);
    this.#ready.catch(() => {});
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves when requests can be sent. Throws TRANSPORT_UNAVAILABLE when the broker cannot be reached. */
  async opened(): Promise<void> {
    await this.#ready;
    if (this.#ended !== undefined) throw this.#ended;
  }

  async #connect({ host, port }: Endpoint): Promise<void> {
    const timer = setTimeout(() => this.#end(`took longer than ${connectMs} ms to open`, undefined), connectMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#pending.add({ reject });
        void this.#connection.connect(host, port, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      this.#end(`failed: ${reasonOf(error)}`, error);
      throw this.#ended!;
    } finally {
      clearTimeout(timer);
      this.#pending.clear();
    }
  }

  /**
   * The answer to one request. Errors that the answer holds are part of it. Throws TRANSPORT_UNAVAILABLE when the
   * connection fails or there is no answer within `ms`: what was asked for may have been done or not.
   */
  async call<T>(send: Send<T>, ms: number): Promise<T> {
    await this.opened();
    return await new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(pending);
      };
      const pending: Pending = {
        reject(error) {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => this.#end(`gave no answer within ${ms} ms`, undefined), ms);
      this.#pending.add(pending);
      send(this.#connection, (error, answer) => {
        if (!this.#pending.has(pending)) return;
        const held = error === null ? answer : (error as { response?: T }).response;
        if (held === undefined) return this.#end(`failed: ${reasonOf(error)}`, error);
        settle();
        resolve(held);
      });
    });
  }

  #end(what: string, cause: unknown): void {
    if (this.#ended !== undefined) return;
    const { host, port } = this.endpoint;
    this.#ended = new WaybillError("TRANSPORT_UNAVAILABLE", `The connection to Kafka at ${host}:${port} ${what}.`, {
      details: { host, port },
      cause,
    });
    for (const pending of this.#pending) pending.reject(this.#ended);
    this.#pending.clear();
    // Closing ends the client's own timers; it lets a socket finish, which is not waited for.
    void this.#connection.close();
    this.#connection.socket?.destroy();
  }

  /** Ends it with all that is under way. */
  close(): void {
    this.#end("was closed by this process", undefined);
  }
}

/** The reason at the bottom of an error of the client, which wraps what the socket said. */
function reasonOf(error: unknown): string {
  const { cause, errors } = (error ?? {}) as { cause?: unknown; errors?: unknown[] };
  if (cause !== undefined) return reasonOf(cause);
  return errors?.[0] === undefined ? messageOf(error) : reasonOf(errors[0]);
}
