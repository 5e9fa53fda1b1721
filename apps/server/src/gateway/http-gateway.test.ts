import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noFaults, openGateway, type Faults, type Gateway } from "@waybill/gateway";
import type { EffectCall } from "@waybill/messaging";
import type { PaymentGateway } from "@waybill/payments";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { httpGateway } from "./http-gateway.ts";

let folder: string;
let gateway: Gateway;
let client: PaymentGateway & AsyncDisposable;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
  gateway = await openGateway({ data: folder, port: 0, seed: 1, slowTokenMs: 60_000 });
  client = httpGateway({ url: gateway.url, connections: 8 });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

const { signal } = new AbortController();
const amount = { minor: 1_000, currency: "EUR" };
const call = (key: string, more: Partial<EffectCall> = {}): EffectCall => ({ key, attempt: 1, signal, ...more });

function authorise(key: string, token = "tok_approved", from = client) {
  return from.authorise({ reference: `order-${key}`, amount, token }, call(key));
}

async function authorised(
  key: string,
  token?: string,
): Promise<{ reference: string; paymentId: string; amount: typeof amount }> {
  const answer = await authorise(key, token);
  if (answer.kind !== "done") throw new Error(`Not authorised: ${answer.reason}`);
  return { reference: `order-${key}`, paymentId: answer.value.paymentId, amount };
}

async function putFaults(faults: Partial<Faults> & { refuseConnectionsMs?: number }): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ...noFaults, ...faults });
  await fetch(`${gateway.url}/faults`, { method: "PUT", headers, body });
}

describe("against the sandbox gateway", () => {
  test("authorise, capture, refund and void are done, with receipts that find confirms", async () => {
    const payment = await authorised("life");
    for (const kind of ["capture", "refund"] as const) {
      const answer = await client[kind](payment, call(`life-${kind}`));
      expect(answer).toEqual({
        kind: "done",
        value: { paymentId: payment.paymentId, operationId: expect.any(String) },
      });
      expect(await client.find(`life-${kind}`, signal)).toEqual(answer);
    }
    const other = await authorised("other");
    const voided = await client.void(other, call("other-void"));
    expect(voided.kind).toBe("done");
    expect(await client.void(other, call("other-void", { attempt: 2 }))).toEqual(voided);
  });

  test("a final no is refused with the gateway's reason, and find says the same", async () => {
    const expected = { kind: "refused", reason: "card_declined" };
    expect(await authorise("declined", "tok_declined")).toEqual(expected);
    expect(await client.find("declined", signal)).toEqual(expected);
    const expired = await authorised("expired", "tok_authorisation_expired");
    expect(await client.capture(expired, call("expired-capture"))).toEqual({
      kind: "refused",
      reason: "authorisation_expired",
    });
  });

  test.each([
    ["token_unknown", () => authorise("wrong-1", "tok_nothing")],
    ["payment_unknown", () => client.capture({ reference: "x", paymentId: "pay/../../1", amount }, call("wrong-2"))],
    [
      "invalid_request",
      () =>
        client.authorise(
          { reference: "x", amount: { minor: 0, currency: "EUR" }, token: "tok_approved" },
          call("wrong-3"),
        ),
    ],
    [
      "key_reused",
      async () => {
        await authorise("wrong-4");
        return client.authorise({ reference: "another", amount, token: "tok_approved" }, call("wrong-4"));
      },
    ],
  ])("a request that can never work is refused: %s", async (reason, attempt) => {
    expect(await attempt()).toEqual({ kind: "refused", reason });
  });

  test("429 is again, not before Retry-After", async () => {
    expect(await authorise("limited", "tok_rate_limited")).toEqual({
      kind: "again",
      reason: "rate_limited",
      afterMs: 1_000,
    });
    expect((await authorise("limited", "tok_rate_limited")).kind).toBe("done");
  });

  test("500 is unknown; nothing is found, and the same key works later", async () => {
    expect((await authorise("error", "tok_error_then_fine")).kind).toBe("unknown");
    expect(await client.find("error", signal)).toBeUndefined();
    expect((await authorise("error", "tok_error_then_fine")).kind).toBe("unknown");
    expect((await authorise("error", "tok_error_then_fine")).kind).toBe("done");
  });

  test("charged, and the answer lost: unknown, then found, and charged once", async () => {
    expect((await authorise("lost", "tok_charged_answer_lost")).kind).toBe("unknown");
    const found = await client.find("lost", signal);
    expect(found?.kind).toBe("done");
    expect(await authorise("lost", "tok_charged_answer_lost")).toEqual(found);
  });

  test.each(["capture", "void"] as const)("%s done, and the answer lost: unknown, then found", async (kind) => {
    const payment = await authorised(`lost-${kind}`, `tok_${kind}_answer_lost`);
    expect((await client[kind](payment, call(`lost-${kind}-1`))).kind).toBe("unknown");
    expect((await client.find(`lost-${kind}-1`, signal))?.kind).toBe("done");
  });

  test("silence is unknown after the time limit; nothing was done", async () => {
    await using hasty = httpGateway({ url: gateway.url, timeoutMs: 1_000 });
    const answer = await authorise("silent", "tok_timeout", hasty);
    expect(answer).toEqual({ kind: "unknown", reason: expect.stringContaining("no answer within 1000 ms") });
    expect(await client.find("silent", signal)).toBeUndefined();
    expect((await authorise("silent", "tok_timeout")).kind).toBe("done");
  });

  test("a late answer is unknown after the time limit; it was done", async () => {
    await using hasty = httpGateway({ url: gateway.url, timeoutMs: 1_000 });
    expect((await authorise("late", "tok_slow", hasty)).kind).toBe("unknown");
    expect((await client.find("late", signal))?.kind).toBe("done");
  });

  test("a key under way: a repeat is again, and find does not say that it never happened", async () => {
    await putFaults({ slowRate: 1, slowMs: 60_000 });
    const underWay = { kind: "again", reason: "key_in_flight", afterMs: undefined, onlyThis: true };
    const caller = new AbortController();
    const attempts = [1, 2].map((attempt) =>
      client.authorise(
        { reference: "r", amount, token: "tok_approved" },
        call("way", { attempt, signal: caller.signal }),
      ),
    );
    expect(await Promise.race(attempts)).toEqual(underWay);
    await putFaults({});
    expect(await client.find("way", signal)).toEqual(underWay);
    caller.abort(new Error("the shop stops"));
    const kinds = (await Promise.all(attempts)).map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(["again", "unknown"]);
  });

  test("find rejects when the gateway cannot say", async () => {
    await authorise("hidden");
    await putFaults({ unavailable: true });
    expect(await authorise("hidden")).toEqual({ kind: "unknown", reason: "the gateway answered 503, unavailable" });
    await expect(client.find("hidden", signal)).rejects.toThrow("503 unavailable");
    await putFaults({});
    expect((await client.find("hidden", signal))?.kind).toBe("done");
  });

  test("a call that is stopped before it begins is again", async () => {
    const stopped = await client.void(
      { reference: "x", paymentId: "x", amount },
      call("stopped", { signal: AbortSignal.abort() }),
    );
    expect(stopped).toEqual({ kind: "again", reason: "stopped before it was sent" });
  });

  test.each(["order 1/ä", "50%", "a%20b", "a b", "日本"])("the key %j goes over the wire and is found", async (key) => {
    const done = await client.authorise({ reference: "any", amount, token: "tok_approved" }, call(key));
    expect(done.kind).toBe("done");
    expect(await client.find(key, signal)).toEqual(done);
  });

  test("more calls than connections all come through, over no more connections than allowed", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => authorise(`many-${i}`)));
    expect(answers.every(({ kind }) => kind === "done")).toBe(true);
  });
});

describe("against anything else that answers HTTP", () => {
  async function withServer(listener: RequestListener, run: (other: typeof client) => Promise<void>): Promise<void> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await using other = httpGateway({ url: `http://127.0.0.1:${port}`, timeoutMs: 2_000, connections: 2 });
    try {
      await run(other);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
  const receive = (other: typeof client) => authorise("k", "tok_approved", other);

  test.each([
    ["a 200 without a receipt", 200, "{}", "unknown"],
    ["a 201 that is no JSON", 201, "<html>", "unknown"],
    ["a proxy's page", 404, "<html>not here</html>", "unknown"],
    ["a redirect", 302, "", "unknown"],
    ["a bad gateway", 502, '{"code":"bad_gateway"}', "unknown"],
    ["a refusal in words", 402, '{"code":"card_stolen"}', "refused"],
    ["a missing password", 401, '{"code":"unauthorized"}', "again"],
  ])("%s", async (_name, status, body, kind) => {
    await withServer(
      (_request, response) => response.writeHead(status).end(body),
      async (other) => {
        expect((await receive(other)).kind).toBe(kind);
        await expect(other.find("k", signal)).rejects.toThrow(`${status}`);
      },
    );
  });

  test.each([
    ["1", 1_000],
    ["86400", 300_000],
    [undefined, 1_000],
  ])("Retry-After: %s holds up calls and look-ups, for five minutes at most", async (header, afterMs) => {
    await withServer(
      (_request, response) => response.writeHead(429, header === undefined ? {} : { "retry-after": header }).end(),
      async (other) => {
        const patience = { kind: "again", reason: "rate_limited", afterMs };
        expect(await receive(other)).toEqual(patience);
        expect(await other.find("k", signal)).toEqual(patience);
      },
    );
  });

  test("Retry-After may be a date", async () => {
    const later = new Date(Date.now() + 120_000).toUTCString();
    await withServer(
      (_request, response) => response.writeHead(429, { "retry-after": later }).end(),
      async (other) => {
        const answer = await receive(other);
        expect(answer.kind).toBe("again");
        const afterMs = answer.kind === "again" ? answer.afterMs : undefined;
        expect(Math.abs((afterMs ?? 0) - 120_000)).toBeLessThan(60_000);
      },
    );
  });

  test("a connection cut in the middle of the answer is unknown", async () => {
    await withServer(
      (_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write('{"id":"op_1"', () => response.destroy());
      },
      async (other) => expect((await receive(other)).kind).toBe("unknown"),
    );
  });

  test("connections are kept and bounded", async () => {
    const ports = new Set<number | undefined>();
    const receipt = JSON.stringify({ id: "op_1", paymentId: "pay_1", result: "approved" });
    await withServer(
      (request, response) => {
        ports.add(request.socket.remotePort);
        request.resume().on("end", () => response.end(receipt));
      },
      async (other) => {
        const answers = await Promise.all(Array.from({ length: 50 }, () => receive(other)));
        expect(answers.every(({ kind }) => kind === "done")).toBe(true);
        expect(ports.size).toBeLessThanOrEqual(2);
      },
    );
  });

  test("nobody listens: again, and find rejects", async () => {
    let port = 0;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
    await using nobody = httpGateway({ url: `http://127.0.0.1:${port}` });
    expect(await receive(nobody)).toEqual({ kind: "again", reason: expect.stringContaining("ECONNREFUSED") });
    await expect(nobody.find("k", signal)).rejects.toThrow("ECONNREFUSED");
  });
});
