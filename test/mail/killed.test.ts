import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { serveBy, type ServerProcess } from "../server/server-process.ts";
import { startMailServer, type Received, type Verdict } from "./mail-server.ts";

const waybill = fileURLToPath(new URL("../../apps/cli/bin/waybill.js", import.meta.url));

async function ask(shop: ServerProcess, method: string, path: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const { ok } = await fetch(shop.url + path, { method, headers, body: JSON.stringify(body) });
  expect(ok).toBe(true);
}

test("a server that is killed under a letter sends it again when it is back, under the same name", async () => {
  const data = mkdtempSync(join(tmpdir(), "waybill-killed-"));
  const offered: Received[] = [];
  const never = new Promise<Verdict>(() => undefined);
  const verdict = (letter: Received) => (offered.push(letter) === 1 ? never : "take");
  await using mail = await startMailServer({ verdict });
  const env = {
    WAYBILL_MAIL_URL: `smtp://127.0.0.1:${mail.port}`,
    WAYBILL_MAIL_TLS: "none",
    WAYBILL_MAIL_FROM: "shop@mugs.example",
  };
  const args = [waybill, "start", "--data", data, "--port", "0", "--no-seed", "--dispatch-after", "3600"];
  const start = () => serveBy(process.execPath, args, env);
  try {
    {
      await using shop = await start();
      await ask(shop, "PUT", "/products/mug", { title: "A mug", price: "2.55", currency: "GBP" });
      await ask(shop, "POST", "/stock/mug/adjustments", { quantity: 9, reason: "Delivery" });
      const customer = { id: "ann", email: "ann@customers.example" };
      const lines = [{ sku: "mug", quantity: 1 }];
      await ask(shop, "POST", "/orders", { customer, currency: "GBP", lines, payment: { token: "tok_approved" } });
      await vi.waitUntil(() => offered.length === 1, 20_000);
      await shop.end("SIGKILL");
    }
    await using shop = await start();
    await vi.waitUntil(() => mail.taken.length === 1, 20_000);
    expect(offered.map(({ messageId }) => messageId)).toEqual([offered[0]!.messageId, offered[0]!.messageId]);
    expect(mail.taken[0]!.to).toEqual([{ address: "ann@customers.example", name: "" }]);
    expect(readFileSync(join(data, "server.log"), "utf8")).not.toContain("ann@");
    expect(await shop.end("SIGTERM")).toBe(0);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
