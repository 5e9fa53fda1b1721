import { messageOf, WaybillError, type ErrorCode } from "@waybill/messaging";
import type { Msg, MsgCallback, MsgHdrs, NatsConnection, ServerInfo, Subscription } from "@nats-io/nats-core";
import { connect, errors } from "@nats-io/transport-node";
import { connectionOptions, natsDefaults, type NatsTransportOptions } from "./options.ts";
import { refuseOldServer } from "./server-version.ts";

/** How long a server that did not answer has for a ping before the connection counts as dead. */
const probeMs = 2_000;

/** What JetStream's API says when it says no. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;
  /** One number for each kind of error. */
  readonly errCode: number;

  constructor({ code, err_code, description }: { code: number; err_code?: number; description?: string }) {
    super(description ?? `JetStream answered ${code}.`);
    this.code = code;
    this.errCode = err_code ?? 0;
  }
}

export const refusals = { noStream: 10_059, noMessage: 10_037, noConsumer: 10_014, nameInUse: 10_058 } as const;

export function isRefusal(error: unknown, errCode: number): boolean {
  return error instanceof Refusal && error.errCode === errCode;
}

/**
 * One connection, with an end for every call: an answer, a refusal, or TRANSPORT_UNAVAILABLE when the answer takes too
 * long or the connection breaks. The client alone would wait, and would keep what is published meanwhile for later.
 */
export class Link {
  readonly name: string;
  readonly timeoutMs: number;
  readonly #connection: NatsConnection;
  readonly #apiPrefix: string;
  readonly #waiting = new Set<(error: WaybillError) => void>();
  readonly #onChange = new Set<(connected: boolean) => void>();
  #connected = true;
  #closed = false;
  /** Set while a ping is under way; ends the connection when it does not come back. */
  #probe: NodeJS.Timeout | undefined;

  private constructor(connection: NatsConnection, options: NatsTransportOptions) {
    this.#connection = connection;
    this.name = options.name ?? "nats";
    this.timeoutMs = options.timeoutMs ?? natsDefaults.timeoutMs;
    this.#apiPrefix = options.domain === undefined ? "$JS.API" : `$JS.${options.domain}.API`;
    void this.#watch();
  }

  /** Connects; throws TRANSPORT_UNAVAILABLE when no server can be reached or none lets us in. */
  static async open(options: NatsTransportOptions): Promise<Link> {
    const settings = connectionOptions(options);
    let connection: NatsConnection;
    try {
      connection = await connect(settings);
    } catch (error) {
      const servers = [settings.servers ?? []].flat().join(", ");
      throw new WaybillError("TRANSPORT_UNAVAILABLE", `No NATS server can be used at ${servers}: ${messageOf(error)}`, {
        details: { servers },
        cause: error,
      });
    }
    const link = new Link(connection, options);
    try {
      refuseOldServer(link.server.version);
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  /** What the server said of itself when we connected to it last. */
  get server(): ServerInfo {
    return this.#connection.info ?? ({ version: "", max_payload: 0 } as ServerInfo);
  }

  get connected(): boolean {
    return this.#connected;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back when the connection is lost and when it is there again, until the function returned is called. */
  onChange(listener: (connected: boolean) => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect" || type === "close") this.#lost();
      if (type === "reconnect") this.#found();
    }
    this.#lost();
  }

  #lost(): void {
    this.#connected = false;
    this.#forgetProbe();
    for (const fail of this.#waiting) fail(this.unavailable("the connection was lost"));
    this.#waiting.clear();
    for (const tell of this.#onChange) tell(false);
  }

  #found(): void {
    this.#connected = true;
    for (const tell of this.#onChange) tell(true);
  }

  /** Throws TRANSPORT_UNAVAILABLE while there is no connection, CLOSED once it was closed. */
  alive(): void {
    if (this.#closed) throw new WaybillError("CLOSED", `The transport "${this.name}" is closed.`);
    if (!this.#connected) throw this.unavailable("there is no connection; it is being tried again");
  }

  unavailable(why: string, cause?: unknown): WaybillError {
    const options = { details: { transport: this.name }, ...(cause === undefined ? {} : { cause }) };
    const code: ErrorCode = this.#closed ? "CLOSED" : "TRANSPORT_UNAVAILABLE";
    return new WaybillError(code, `NATS (${this.name}) cannot be used now: ${why}.`, options);
  }

  publish(subject: string, body: Uint8Array | string, block: Uint8Array | undefined, reply?: string): void {
    this.alive();
    this.#connection.publish(subject, body, {
      ...(block === undefined ? {} : { headers: ready(block) }),
      ...(reply === undefined ? {} : { reply }),
    });
  }

  subscribe(subject: string, callback: MsgCallback<Msg>): Subscription {
    return this.#connection.subscribe(subject, { callback });
  }

  /** Publishes and waits for the one answer. */
  request(subject: string, body: Uint8Array | string = "", block?: Uint8Array): Promise<Msg> {
    return new Promise((resolve, reject) => {
      this.alive();
      const fail = (error: WaybillError): void => reject(error);
      this.#waiting.add(fail);
      const headers = block === undefined ? {} : { headers: ready(block) };
      this.#connection.request(subject, body, { timeout: this.timeoutMs, ...headers }).then(
        (answer) => {
          this.#waiting.delete(fail);
          resolve(answer);
        },
        (error: unknown) => {
          this.#waiting.delete(fail);
          reject(this.#failure(subject, error));
        },
      );
    });
  }

  #failure(subject: string, error: unknown): WaybillError {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (cause instanceof errors.NoRespondersError) return this.unavailable(`nobody answers to ${subject}`, cause);
    if (cause instanceof errors.TimeoutError) {
      void this.#ping();
      return this.unavailable(`${subject} had no answer within ${this.timeoutMs} ms`, cause);
    }
    return this.unavailable(messageOf(cause), cause);
  }

  /** A connection over which not even a ping comes back is given up: the client itself would take half a minute. */
  async #ping(): Promise<void> {
    if (this.#probe !== undefined || !this.#connected || this.#closed) return;
    this.#probe = setTimeout(() => {
      void this.#connection.reconnect().catch(() => undefined);
    }, probeMs);
    // Rejected when the connection breaks meanwhile, which is news of its own.
    await this.#connection.flush().catch(() => undefined);
    this.#forgetProbe();
  }

  #forgetProbe(): void {
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  /** Calls JetStream's API, as `STREAM.INFO.orders`. Throws a Refusal, or as `request` does. */
  async api<T>(call: string, request?: unknown): Promise<T> {
    const answer = await this.request(this.apiSubject(call), request === undefined ? "" : JSON.stringify(request));
    const said = answer.json<T & { error?: { code: number; err_code?: number; description?: string } }>();
    if (said.error !== undefined) throw new Refusal(said.error);
    return said;
  }

  apiSubject(call: string): string {
    return `${this.#apiPrefix}.${call}`;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#lost();
    await this.#connection.close();
  }
}

/** A finished header block in the shape that `publish` takes: all that it asks of headers is their bytes. */
function ready(block: Uint8Array): MsgHdrs {
  return { encode: () => block } as unknown as MsgHdrs;
}

/** True for the error of a request that nobody was there to take. */
export function nobodyAnswered(error: unknown): boolean {
  return error instanceof WaybillError && error.cause instanceof errors.NoRespondersError;
}
