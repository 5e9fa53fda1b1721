import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";
import { headerOf, startMailServer, type MailServerOptions, type Received } from "../mail/mail-server.ts";
import { serveBy } from "../server/server-process.ts";
import { gatewayLedger } from "../server/witnesses.ts";

/** The command line. */
export const waybill = fileURLToPath(new URL("../../apps/cli/bin/waybill.js", import.meta.url));
const patience = { timeout: 20_000, interval: 20 };

/** An order, a problem, or whatever else a server answers with. */
export interface Seen {
  readonly orderId: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly attention?: string;
  readonly cancelRefused?: string;
  readonly captured: number;
  readonly total: number;
  readonly problems?: readonly { readonly sku: string; readonly problem: string }[];
  readonly short?: readonly object[];
  /** An order that is only accepted has none yet. */
  readonly history?: readonly { readonly type: string }[];
}

export interface Answer {
  readonly status: number;
  readonly body: Seen;
}

/** A shop as people start it: the server by the command line, the sandbox gateway in a process of its own, a mail server. */
export interface LiveShop extends AsyncDisposable {
  readonly url: string;
  readonly gatewayUrl: string;
  readonly data: string;
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Places an order for one piece and does not wait for what comes of it; its id. */
  place(token: string, over?: Readonly<Record<string, unknown>>): Promise<string>;
  until(orderId: string, is: (order: Seen) => boolean): Promise<Seen>;
  untilStatus(orderId: string, status: string): Promise<Seen>;
  /** What the gateway did for an order, by its own ledger: `authorise approved`. */
  doneFor(orderId: string): Promise<readonly string[]>;
  untilDone(orderId: string, done: readonly string[]): Promise<void>;
  /** What the mail server took for an order, by kind, in order. */
  lettersOf(orderId: string): readonly string[];
  untilMailed(orderId: string, kinds: readonly string[]): Promise<void>;
  readonly mailbox: readonly Received[];
  /** Turns the gateway's faults up or down. */
  faults(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** A figure of the server; 0 when it does not tell it. */
  figure(line: string): Promise<number>;
}

export const sku = "85123A";

export interface LiveShopOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly mail?: MailServerOptions;
  /** The gateway itself, where the shop reaches it over another address. */
  readonly gatewayUrl?: string;
}

export async function startLiveShop(options: LiveShopOptions = {}): Promise<LiveShop> {
  const { args = [], env = {}, mail = {} } = options;
  await using open = new AsyncDisposableStack();
  const data = mkdtempSync(join(tmpdir(), "waybill-worst-"));
  open.defer(() => rmSync(data, { recursive: true, force: true }));
  const mails = open.use(await startMailServer(mail));
  const mailEnv = {
    WAYBILL_MAIL_URL: `smtp://127.0.0.1:${mails.port}`,
    WAYBILL_MAIL_TLS: "none",
    WAYBILL_MAIL_FROM: "Mugs & More <shop@mugs.example>",
  };
  const command = [waybill, "start", "--data", data, "--port", "0", ...args];
  const server = open.use(await serveBy(process.execPath, command, { ...mailEnv, ...env }));
  const { url, gatewayUrl } = { ...server, ...options };
  const kept = open.move();

  const ask: LiveShop["ask"] = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers: { ...type, ...headers }, ...sent });
    return { status: response.status, body: (await response.json()) as Seen };
  };

  async function until(orderId: string, is: (order: Seen) => boolean): Promise<Seen> {
    let last: Seen | undefined;
    const seen = vi.waitUntil(async () => {
      last = (await ask("GET", `/orders/${orderId}`)).body;
      return is(last) ? last : undefined;
    }, patience);
    return seen.catch((cause: unknown) => {
      throw new Error(`Order ${orderId} did not get there; it is ${JSON.stringify(last)}`, { cause });
    });
  }

  const doneFor = async (orderId: string) => {
    const ledger = await gatewayLedger(gatewayUrl);
    return ledger.filter(({ reference }) => reference === orderId).map(({ kind, result }) => `${kind} ${result}`);
  };
  const lettersOf = (orderId: string) =>
    mails.taken
      .filter((letter) => headerOf(letter, "x-waybill-order") === orderId)
      .map((letter) => headerOf(letter, "x-waybill-kind") ?? "");

  return {
    url,
    gatewayUrl,
    data,
    ask,
    until,
    doneFor,
    lettersOf,
    mailbox: mails.taken,
    async place(token, over = {}) {
      const { status, body } = await ask("POST", "/orders", orderBody(token, over));
      expect([status, body.detail]).toEqual([202, undefined]);
      return body.orderId;
    },
    untilStatus: (orderId, status) => until(orderId, (order) => order.status === status),
    async untilDone(orderId, done) {
      await vi.waitUntil(async () => (await doneFor(orderId)).length >= done.length, patience).catch(() => undefined);
      expect(await doneFor(orderId)).toEqual(done);
    },
    async untilMailed(orderId, kinds) {
      await vi.waitUntil(() => lettersOf(orderId).length >= kinds.length, patience).catch(() => undefined);
      expect(lettersOf(orderId).toSorted()).toEqual(kinds.toSorted());
    },
    async faults(settings) {
      const headers = { "content-type": "application/json" };
      const put = { method: "PUT", headers, body: JSON.stringify(settings) };
      expect((await fetch(`${gatewayUrl}/faults`, put)).status).toBe(200);
    },
    async figure(line) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = text.split("\n").find((one) => one.startsWith(`${line} `));
      return Number(found?.split(" ").at(-1) ?? 0);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export function orderBody(token: string, over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const customer = { id: token, email: `${token}@customers.example` };
  return { customer, currency: "GBP", lines: [{ sku, quantity: 1 }], payment: { token }, ...over };
}
