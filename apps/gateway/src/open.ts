import { randomInt } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { inspect } from "node:util";
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import { seededDice } from "./dice.ts";
import { doorOf, type Door } from "./door.ts";
import { errorHandler } from "./errors-over-http.ts";
import { noFaults, type Faults } from "./faults.ts";
import { openLedger } from "./ledger.ts";
import { operating } from "./operate.ts";
import { fieldProblem } from "./problem.ts";
import { addRoutes } from "./routes.ts";

export interface GatewayOptions {
  /** The folder of the ledger; made if it is new. */
  readonly data: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** An integer that all chance in faults comes from; a random one by default. */
  readonly seed?: number;
  /** How long an authorisation holds, in milliseconds. Default 7 days. */
  readonly authorisationTtlMs?: number;
  /** How late the answer for `tok_slow` is. Default 3,000. */
  readonly slowTokenMs?: number;
  /** The wall clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** Told of errors that nobody foresaw. Default: standard error. */
  readonly log?: (error: unknown) => void;
}

export interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly seed: number;
  /** Stops listening, answers what is under way, cuts what waits, closes the ledger. */
  close(): Promise<void>;
}

const dayMs = 86_400_000;
const closeWithinMs = 2_000;

/** Opens the ledger and listens. Rejects when the folder cannot be written or the port is taken. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { host = "127.0.0.1", seed = randomInt(2 ** 31), slowTokenMs = 3_000, log = toStandardError } = options;
  const { now = Date.now } = options;
  let faults: Faults = noFaults;
  let door: Door | undefined;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const silent = silentConnections();
  const ledger = openLedger({
    folder: options.data,
    authorisationTtlMs: options.authorisationTtlMs ?? 7 * dayMs,
    now,
    forgetKeysAfterMs: () => faults.forgetKeysAfterMs,
  });
  const operate = operating({
    ledger,
    faults: () => faults,
    dice: seededDice(seed),
    slowTokenMs,
    closing: closing.signal,
    now,
  });
  const app = server(log);
  addRoutes(app, {
    ledger,
    operate,
    getFaults: () => faults,
    setFaults: (given) => (faults = given),
    refuseConnections: (forMs) => door?.shut(forMs),
    keepSilent: (reply) => silent.keep(reply),
  });
  let closed: Promise<void> | undefined;

  async function end(): Promise<void> {
    closing.abort();
    door?.lock();
    silent.cut();
    // A caller that sends half a request and stops must not keep the gateway open.
    const limit = setTimeout(() => app.server.closeAllConnections(), closeWithinMs);
    await app.close();
    clearTimeout(limit);
    ledger[Symbol.dispose]();
  }
  const close = () => (closed ??= end());

  try {
    await app.listen({ host, port: options.port });
  } catch (error) {
    await close();
    throw error;
  }
  door = doorOf(app.server, log);
  const { port } = app.server.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return { url, seed, close, [Symbol.asyncDispose]: close };
}

function toStandardError(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`);
}

function server(log: (error: unknown) => void): FastifyInstance {
  const onError = errorHandler(log);
  const app = fastify({
    bodyLimit: 16_384,
    // Longer than a client keeps an idle connection, so that it is the client who ends it and no request meets a closed one.
    keepAliveTimeout: 75_000,
    forceCloseConnections: "idle",
    frameworkErrors: onError,
    ajv: {
      customOptions: {
        allErrors: true,
        verbose: true,
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
      },
    },
  });
  app.server.maxConnections = 10_000;
  app.removeContentTypeParser("text/plain");
  app.setErrorHandler(onError);
  app.setNotFoundHandler((request, reply) =>
    onError(
      fieldProblem(
        404,
        "not_found",
        "path",
        `${request.method} ${request.url.slice(0, 100)} is not a part of this API`,
      ),
      request,
      reply,
    ),
  );
  return app;
}

/** Connections that wait for an answer which never comes. */
function silentConnections() {
  const sockets = new Set<Socket>();
  return {
    keep(reply: FastifyReply): void {
      const { socket } = reply.raw;
      if (socket === null) return;
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
    cut(): void {
      for (const socket of sockets) socket.destroy();
    },
  };
}
