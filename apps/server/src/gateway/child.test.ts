import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startGateway } from "./child.ts";
import { httpGateway } from "./http-gateway.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const request = { reference: "order-1", amount: { minor: 100, currency: "EUR" }, token: "tok_approved" };
const call = { key: "k", attempt: 1, signal };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the gateway as a child", () => {
  test("is started, killed, started again at the same address with its ledger, and ended", async () => {
    const told: string[] = [];
    const child = await startGateway({ data: folder, log: (text) => told.push(text) });
    await using client = httpGateway({ url: child.url });
    const first = await client.authorise(request, call);
    expect(first.kind).toBe("done");

    const killed = child.pid as number;
    process.kill(killed, "SIGKILL");
    await vi.waitUntil(() => child.pid !== undefined && child.pid !== killed, { timeout: 10_000 });
    expect(told).toEqual(["the payment gateway died and is started again"]);
    expect(await client.find("k", signal)).toEqual(first);

    const pid = child.pid as number;
    await child.close();
    expect([child.pid, isAlive(pid)]).toEqual([undefined, false]);
    expect((await client.authorise(request, call)).kind).toBe("again");
    await child.close();
  });

  test("killed again and again under load, it has done each key once, and what it answered is kept", async () => {
    const child = await startGateway({ data: folder });
    await using client = httpGateway({ url: child.url, connections: 8 });
    const receipts = new Map<string, unknown>();
    let next = 0;

    /** Repeats with the same key until there is an answer, as the engine does. */
    const settle = async (key: string) => {
      const answer = await vi.waitUntil(
        async () => {
          const tried = await client.authorise(request, { ...call, key });
          return tried.kind === "done" ? tried : undefined;
        },
        { timeout: 25_000, interval: 10 },
      );
      receipts.set(key, answer.value.operationId);
    };
    const worker = async () => {
      while (next < 600) await settle(`key-${next++}`);
    };
    const kill = async () => {
      for (const settled of [50, 150, 300, 450]) {
        await vi.waitUntil(() => receipts.size >= settled && child.pid !== undefined, {
          timeout: 25_000,
          interval: 5,
        });
        process.kill(child.pid as number, "SIGKILL");
        await vi.waitUntil(() => child.pid === undefined, { interval: 1 });
      }
    };
    await Promise.all([kill(), ...Array.from({ length: 8 }, worker)]);

    const lines = (await (await fetch(`${child.url}/ledger`)).text()).trimEnd().split("\n");
    const ledger = lines.map((line) => JSON.parse(line) as { key: string; id: string });
    expect(ledger).toHaveLength(600);
    expect(new Map(ledger.map(({ key, id }) => [key, id]))).toEqual(receipts);
    expect(await (await fetch(`${child.url}/audit`)).json()).toEqual({ findings: [] });
    await child.close();
  });

  test("says why it does not start", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(startGateway({ data: folder, port })).rejects.toThrow(
      `EADDRINUSE: address already in use 127.0.0.1:${port}`,
    );
    other.close();
    await expect(startGateway({ data: folder, args: ["--nonsense"] })).rejects.toThrow("--nonsense");
  });

  test("is ended while it is being started again", async () => {
    const child = await startGateway({ data: folder });
    process.kill(child.pid as number, "SIGKILL");
    await vi.waitUntil(() => child.pid === undefined, { interval: 1 });
    await child.close();
    expect(child.pid).toBeUndefined();
  });

  test("does not outlive a parent that is killed", async () => {
    const script = join(folder, "parent.ts");
    const module = new URL("child.ts", import.meta.url).href;
    writeFileSync(
      script,
      `import { startGateway } from ${JSON.stringify(module)};
       const child = await startGateway({ data: ${JSON.stringify(join(folder, "data"))} });
       console.log(child.url);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const url = line.toString().trim();
    const answers = () =>
      fetch(`${url}/faults`).then(
        () => true,
        () => false,
      );
    expect(await answers()).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitUntil(async () => !(await answers()), { timeout: 10_000 });
  });
});
