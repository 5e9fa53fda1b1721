import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textOf } from "../boundaries/files.ts";
import { blocksOf } from "../readme/markdown.ts";
import { outputIn, sentByFetch, startIn } from "../readme/shell.ts";
import { copyOfCheckout, ownServices as list, type Checkout } from "./checkout.ts";

/** As many characters as a name may have, so that its lines are as long as they can be. */
const longest = "loyalty-of-customers-abroad-xl";
const filesOf = (name: string) =>
  ["src/contract.ts", "src/index.ts", "src/rules.ts", "src/service.ts", `test/${name}.test.ts`].map(
    (path) => `services/${name}/${path}`,
  );

let checkout: Checkout;
let before: ReadonlyMap<string, string>;
beforeAll(() => {
  checkout = copyOfCheckout();
  before = checkout.tree();
});
afterAll(() => checkout[Symbol.dispose]());

const cli = "apps/cli/bin/waybill.js";
const own = "services/loyalty";
const data = ".waybill";
const waybill = (...args: readonly string[]) => outputIn(checkout.folder, process.execPath, cli, ...args);
const node = async (path: string, ...args: readonly string[]) =>
  stripVTControlCharacters(await outputIn(checkout.folder, process.execPath, checkout.program(path), ...args));

/** The shop of the copy, as a user starts it. */
async function openShop() {
  const shop = startIn(checkout.folder, process.execPath, cli, "start", "--data", data, "--port", "0");
  const text = await shop.printed(/^curl .*\n/m);
  return {
    /** Places the order that the shop prints a line for, and returns its id when it is completed. */
    async order(): Promise<string> {
      const order = JSON.parse(await sentByFetch(/^curl .*$/m.exec(text)![0])) as { orderId: string; status: string };
      expect(order.status).toBe("completed");
      return order.orderId;
    },
    /** What a topic holds as soon as a message of a type is among it. */
    async said(topic: string, type: string): Promise<string> {
      await using tail = startIn(checkout.folder, process.execPath, cli, "tail", topic, "--follow", "--data", data);
      return await tail.printed(new RegExp(`${type} .*\\n`));
    },
    [Symbol.asyncDispose]: () => shop[Symbol.asyncDispose](),
  };
}

/** The provider of vouchers: it knows keys, and hangs up behind the first of them without a word. */
async function startProvider() {
  const keys = new Map<string, string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { customerId } = (await json(request)) as { customerId: string };
    const key = String(request.headers["idempotency-key"]);
    const known = keys.get(key);
    keys.set(key, known ?? `FOR-${customerId}`);
    if (known === undefined) request.socket.destroy();
    else response.setHeader("content-type", "application/json").end(JSON.stringify({ code: known }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/vouchers`,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}

/** What differs from the checkout as it was. */
function changed(): string[] {
  const now = checkout.tree();
  const all = new Set([...before.keys(), ...now.keys()]);
  return [...all].filter((path) => before.get(path) !== now.get(path)).toSorted();
}

describe("a service that `waybill new service` has written into a checkout", { timeout: 90_000 }, () => {
  test("is a folder and a line", async () => {
    const written = JSON.parse(await waybill("new", "service", "loyalty", "--json")) as Record<string, unknown>;
    expect(written).toMatchObject({ service: "loyalty", root: checkout.folder, list });
    expect((written["files"] as string[]).toSorted()).toEqual(filesOf("loyalty"));
    expect(changed()).toEqual([list, ...filesOf("loyalty")]);
    await expect(waybill("new", "service", "loyalty")).rejects.toThrow("There is a service loyalty already");
    await waybill("new", "service", longest);
    expect(changed()).toEqual([list, ...filesOf(longest), ...filesOf("loyalty")]);
  });

  test("can be changed as the guide shows", () => {
    const shown = blocksOf(textOf("docs/messaging-guide.md"), "ts").filter((block) => block.startsWith(`// ${own}/`));
    expect(shown).toHaveLength(9);
    for (const block of shown) {
      const [first, ...lines] = block.split("\n");
      const path = first!.slice(3);
      expect([...filesOf("loyalty"), `${own}/src/outside.ts`]).toContain(path);
      writeFileSync(join(checkout.folder, path), lines.join("\n"));
    }
  });

  test("fits its types, is clean and in form, and leaves nothing unused, as it was written and as the guide goes on", async () => {
    await expect(node("typescript/bin/tsc", "-b")).resolves.toBe("");
    const both = [`services/${longest}`, own, list];
    await expect(node("oxlint/bin/oxlint", "--type-aware", ...both)).resolves.toContain("0 warnings and 0 errors");
    await expect(node("oxfmt/bin/oxfmt", "--check", ...both)).resolves.toContain("correct format");
    await expect(node("knip/bin/knip.js")).resolves.toBe("");
  });

  test("passes its test, and those of the whole checkout's order", async () => {
    const files = [own, `services/${longest}`, "test/boundaries.test.ts", "test/style.test.ts"];
    await expect(node("vitest/vitest.mjs", "run", ...files)).resolves.toMatch(/Test Files +4 passed/);
  });

  test("hears of orders in a shop, and says what it makes of them", async () => {
    await using provider = await startProvider();
    process.env["VOUCHERS_URL"] = provider.url;
    await using shop = await openShop();
    const first = await shop.order();
    expect(await shop.said(longest, `${longest}.counted`)).toContain(`"orderId":"${first}","orders":1`);
    const second = await shop.order();
    const said = await shop.said("loyalty", "voucher.earned");
    expect(said).toContain(`"orderId":"${first}","orders":1`);
    expect(said).toMatch(new RegExp(`voucher.earned .*"orderId":"${second}","code":"FOR-ann"`));
    expect(provider.keys.size).toBe(1);
    const { lanes } = JSON.parse(await waybill("lanes", "--data", data, "--json")) as { lanes: readonly unknown[] };
    expect(lanes).toContainEqual(expect.objectContaining({ service: "loyalty", parkedKeys: 0 }));
  });

  test("is gone with its folder and its line", () => {
    for (const name of ["loyalty", longest]) {
      rmSync(join(checkout.folder, "services", name), { recursive: true });
      const lines = readFileSync(join(checkout.folder, list), "utf8").split("\n");
      writeFileSync(join(checkout.folder, list), lines.filter((line) => !line.includes(`/${name}/`)).join("\n"));
    }
    expect(changed()).toEqual([]);
  });
});
