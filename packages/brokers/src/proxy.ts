import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./ports.ts";

/** Between clients and a server: a wire that can be held, cut and slowed. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** The target's URL with the proxy's port. */
  readonly url: string;
  /** Connections that are open, counted once. */
  readonly connections: number;
  /** Nothing more is passed on, either way; connections stay open, and new ones are taken and hear nothing. */
  freeze(): void;
  /** What was held is passed on, in order. */
  thaw(): void;
  /** Ends the open connections with a reset. */
  cut(): void;
  /** New connections are refused, as if nobody listened; open ones stay. */
  refuse(): Promise<void>;
  /** New connections are taken again. */
  accept(): Promise<void>;
  /** Whatever is passed on from now on waits that long first, either way. */
  delay(ms: number): void;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** A proxy on 127.0.0.1 to a URL or a host and port; it need not be there yet. */
export async function startProxy(target: Target | string): Promise<Proxy> {
  const { host, port: targetPort } = typeof target === "string" ? targetOf(target) : target;
  const port = await freePort();
  const wires = new Set<Wire>();
  const conditions: Conditions = { frozen: undefined, delayMs: 0 };
  let thaw = () => {};
  let listener: Listener | undefined;

  async function accept(): Promise<void> {
    if (listener !== undefined) return;
    listener = createServer({ allowHalfOpen: true }, (client) => {
      const wire = wired(client, connect({ host, port: targetPort, allowHalfOpen: true }), conditions, () =>
        wires.delete(wire),
      );
      wires.add(wire);
    });
    await listening(listener, port);
    // A forgotten proxy does not keep a process alive.
    listener.unref();
  }

  async function refuse(): Promise<void> {
    // Not awaited: the listener closes at once, but reports it only when its last connection has ended.
    listener?.close();
    listener = undefined;
  }

  await accept();
  return {
    port,
    url: typeof target === "string" ? target.replace(`:${targetPort}`, `:${port}`) : `${host}:${port}`,
    get connections() {
      return wires.size;
    },
    freeze() {
      conditions.frozen ??= new Promise((resolve) => (thaw = resolve));
    },
    thaw() {
      conditions.frozen = undefined;
      thaw();
    },
    cut() {
      for (const wire of wires) wire.cut();
    },
    refuse,
    accept,
    delay(ms) {
      conditions.delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      await refuse();
      for (const wire of wires) wire.cut();
      // What is held looks again whether it still is; only saying "go on" would let it ask for ever.
      conditions.frozen = undefined;
      thaw();
    },
  };
}

interface Conditions {
  /** Resolves when the wires pass on again; undefined: they do. */
  frozen: Promise<void> | undefined;
  delayMs: number;
}

interface Wire {
  cut(): void;
}

function wired(client: Socket, server: Socket, conditions: Conditions, onEnd: () => void): Wire {
  const both = [client, server];
  const cut = () => {
    for (const socket of both) socket.resetAndDestroy();
    onEnd();
  };
  for (const socket of both) {
    socket.setNoDelay(true);
    // When one side breaks so does the other: the wire has no opinion of its own.
    socket.on("error", cut);
    socket.on("close", () => {
      if (both.every((one) => one.destroyed)) onEnd();
    });
  }
  void passOn(client, server, conditions).catch(cut);
  void passOn(server, client, conditions).catch(cut);
  return { cut };
}

async function passOn(from: Socket, to: Socket, conditions: Conditions): Promise<void> {
  for await (const bytes of from.iterator({ destroyOnReturn: false })) {
    const { delayMs } = conditions;
    if (delayMs > 0) await setTimeout(delayMs);
    while (conditions.frozen !== undefined) await conditions.frozen;
    if (to.destroyed) return;
    if (!to.write(bytes as Uint8Array)) await drained(to);
  }
  // An end is news too, and waits like all other.
  while (conditions.frozen !== undefined) await conditions.frozen;
  to.end();
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

function listening(listener: Listener, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, "127.0.0.1", resolve);
  });
}

/** Of "nats://127.0.0.1:4222", "postgres://user@host:5432/db" and "host:9092". */
export function targetOf(url: string): Target {
  const { hostname, port } = new URL(url.includes("://") ? url : `tcp://${url}`);
  if (port === "") throw new Error(`${url} names no port.`);
  return { host: hostname, port: Number(port) };
}
