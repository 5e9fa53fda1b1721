import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../src/exit.ts";
import type { Lanes } from "../../src/shop/lanes.ts";
import type { OrderShown } from "../../src/shop/order.ts";
import { launch, until, untilGone, waybill, type Program } from "./waybill.ts";

interface Ready {
  readonly url: string;
  readonly pid: number;
  readonly data: string;
}

describe("a shop on the command line", () => {
  let folder: string;
  let server: Program;
  let ready: Ready;
  let orderId: string;
  let whileRunning: OrderShown;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "waybill-cli-"));
    server = launch(["start", "--port", "0", "--data", folder, "--dispatch-after", "0", "--json"]);
    await until(() => server.stdout().includes("\n"));
    ready = JSON.parse(server.stdout()) as Ready;
    orderId = await placed(ready.url);
  });

  afterAll(async () => {
    server.kill("SIGKILL");
    await server.ended;
    if (ready !== undefined) await untilGone(ready.pid);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function placed(url: string): Promise<string> {
    const response = await fetch(`${url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "wait=20" },
      body: JSON.stringify({
        customer: { id: "ann", email: "ann@example.org" },
        currency: "GBP",
        lines: [{ sku: "85123A", quantity: 2 }],
        payment: { token: "tok_approved" },
      }),
    });
    const order = (await response.json()) as { orderId: string; status: string };
    expect(order).toMatchObject({ status: "completed" });
    return order.orderId;
  }

  it("tells where it is in one line of JSON", () => {
    expect(ready).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), data: folder });
  });

  it("shows an order's journey", async () => {
    const { code, stdout } = await waybill("order", orderId, "--data", folder);
    expect(code).toBe(0);
    expect(stdout).toContain(`Order ${orderId}: completed`);
    expect(stdout).toMatch(/payments +payment\.captured +payments\/\d+@\d+ +5\.\d\d GBP is taken\./);
    // Every message has its place in a log.
    expect(stdout).not.toContain("@?");
    whileRunning = JSON.parse((await waybill("order", orderId, "--data", folder, "--json")).stdout) as OrderShown;
    expect(whileRunning.history.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        "order.place",
        "stock.reserved",
        "payment.authorised",
        "order.shipped",
        "order.completed",
      ]),
    );
  });

  it("shows how far every lane is", async () => {
    await expect(waybill("lanes", "--data", folder)).resolves.toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^The shop runs\.[^]* notifications +0 +orders /),
    });
    const { running, lanes } = JSON.parse((await waybill("lanes", "--data", folder, "--json")).stdout) as Lanes;
    expect(running).toBe(true);
    expect(lanes.every(({ owner }) => owner?.endsWith(`:${ready.pid}`))).toBe(true);
    expect(lanes.flatMap(({ topics }) => topics).every(({ position, end }) => position <= end && end >= 0)).toBe(true);
  });

  it("says that there is no such order", async () => {
    const { code, stderr } = await waybill("order", "nobody", "--data", folder);
    expect(code).toBe(exitCodes.failed.code);
    expect(stderr).toBe("waybill: There is no order nobody.\n");
  });

  it("refuses a second server on the folder, and names the first", async () => {
    const { code, stderr } = await waybill("start", "--port", "0", "--data", folder);
    expect(code).toBe(exitCodes.unavailable.code);
    expect(stderr).toContain(`in use by process ${ready.pid}`);
  });

  it("refuses a port that is taken", async () => {
    const { code, stderr } = await waybill("start", "--port", new URL(ready.url).port, "--data", join(folder, "other"));
    expect(code).toBe(exitCodes.unavailable.code);
    expect(stderr).toMatch(/^waybill: Port \d+ of 127\.0\.0\.1 is in use\./);
  });

  it("ends in good order on SIGTERM, and what it knew can still be read", async () => {
    server.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    const stopped = await waybill("order", orderId, "--data", folder, "--json");
    expect(JSON.parse(stopped.stdout)).toEqual(whileRunning);
    const lanes = JSON.parse((await waybill("lanes", "--data", folder, "--json")).stdout) as Lanes;
    expect(lanes.running).toBe(false);
    expect(lanes.lanes.flatMap(({ topics }) => topics).every(({ lagMessages }) => lagMessages === 0)).toBe(true);
    expect((await waybill("order", "nobody", "--data", folder)).code).toBe(exitCodes.failed.code);
  });

  it("says that a folder holds no shop", async () => {
    for (const args of [["order", "x"], ["lanes"]]) {
      const { code, stderr } = await waybill(...args, "--data", join(folder, "nowhere"));
      expect(code).toBe(exitCodes.unavailable.code);
      expect(stderr).toContain("There is no shop in");
    }
  });
});
