import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError, loadConfig, shown, shownText, type ConfigSources } from "@waybill/server";
import { configSchema } from "../../src/config/schema.ts";
import { settings } from "../../src/config/settings.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "waybill-config-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const urls = {
  WAYBILL_POSTGRES_URL: "postgres://shop:s%C3%A9same@db:5432/shop",
  WAYBILL_NATS_URL: "nats://one:4222, nats://two:4222",
  WAYBILL_KAFKA_URL: "one:9092,two:9092",
};

function write(text: string, name = "waybill.config.ts"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const load = (sources: Omit<ConfigSources, "folder">) => loadConfig({ folder, env: {}, ...sources });

async function wrong(sources: Omit<ConfigSources, "folder">): Promise<string> {
  const error = await load(sources).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

describe("without anything said", () => {
  test("the shop is embedded, one lane a service, everything in the file", async () => {
    const config = await load({});
    expect(config).toMatchObject({ engine: "embedded", store: "sqlite", data: ".waybill", mirrors: [] });
    expect(new Set(Object.values(config.topics).map(({ broker }) => broker))).toEqual(new Set(["file"]));
    expect(new Set(Object.values(config.services).map(({ lanes }) => lanes))).toEqual(new Set([1]));
    expect(config.postgres ?? config.nats ?? config.kafka).toBeUndefined();
  });
});

describe("an engine on brokers", () => {
  test("needs only URLs", async () => {
    const config = await load({ env: { ...urls, WAYBILL_ENGINE: "nats" } });
    expect(config).toMatchObject({
      engine: "nats",
      store: "postgres",
      nats: { servers: ["nats://one:4222", "nats://two:4222"] },
    });
    expect(config.kafka).toBeUndefined();
    expect(config.services["payments"]).toEqual({ lanes: 4 });
    expect(config.services["orders"]).toEqual({ lanes: 1 });
  });

  test("says which URLs it lacks", async () => {
    const text = await wrong({ flags: { engine: "hybrid" }, env: { WAYBILL_NATS_URL: "nats://one" } });
    expect(text).toContain("postgres.url: the engine hybrid needs it; set WAYBILL_POSTGRES_URL, such as postgres://");
    expect(text).toContain("kafka.url: the engine hybrid needs it; set WAYBILL_KAFKA_URL, such as 127.0.0.1:9092");
    expect(text).not.toContain("nats.url");
  });

  test("hybrid keeps the shop's conversation on NATS and the record of all events on Kafka", async () => {
    const { topics, mirrors } = await load({ env: urls, flags: { engine: "hybrid" } });
    for (const name of ["orders-in", "orders", "stock", "payments"]) expect(topics[name]!.broker, name).toBe("nats");
    for (const name of ["products", "shipments"]) expect(topics[name]!.broker, name).toBe("kafka");
    expect(mirrors).toMatchObject(
      ["orders", "stock", "payments"].map((topic) => ({ topic, from: "nats", to: "kafka" })),
    );
  });
});

describe("what wins", () => {
  test("is the command line, then the environment, then the file, setting by setting", async () => {
    write(`export default {
      engine: "kafka",
      kafka: { url: "file:9092", user: "file", password: "hush", mechanism: "SCRAM-SHA-256" },
      topics: { "*": { retentionDays: 7 }, orders: { retentionMib: 1 } },
    }`);
    const env = { ...urls, WAYBILL_KAFKA_URL: "env:9092", WAYBILL_KAFKA_USER: "" };
    const config = await load({ env, flags: { topics: { "*": { retentionDays: 1 } } } });
    expect(config.kafka).toMatchObject({ brokers: ["env:9092"], user: "file", mechanism: "SCRAM-SHA-256" });
    expect(config.topics["orders"]).toMatchObject({ retentionMs: 86_400_000, retentionBytes: 1_048_576 });
    expect(config.topics["stock"]).toMatchObject({ retentionMs: 86_400_000, retentionBytes: undefined });
    expect((await load({ env, flags: { engine: "nats" } })).engine).toBe("nats");
  });
});

describe("the file", () => {
  test("may be named, and is then needed", async () => {
    const path = write("export default { data: 'elsewhere' };", "other.ts");
    expect((await load({ file: path })).data).toBe("elsewhere");
    expect(await wrong({ file: "nowhere.ts" })).toContain("There is no such file");
  });

  test("is TypeScript", async () => {
    write("const engine: string = 'embedded'; export default { engine, data: `a-${engine}` as const };");
    expect((await load({})).data).toBe("a-embedded");
  });

  test.each([
    ["a syntax error", "export default {", "It cannot be loaded: "],
    ["no default export", "export const config = {};", "It has no default export"],
    ["something else", "export default 7;", "must be an object"],
    ["an unknown setting", "export default { engin: 'nats' };", "engin: is not known; leave it out"],
    [
      "an unknown engine",
      "export default { engine: 'redis' };",
      'engine: must be "embedded", "hybrid", "kafka" or "nats"',
    ],
    [
      "a wrong type",
      "export default { topics: { orders: { retentionDays: '7' } } };",
      "topics.orders.retentionDays: must be",
    ],
    ["too much of it", "export default { services: { payments: { lanes: 0 } } };", "services.payments.lanes: must be"],
  ])("with %s says so", async (_, text, reason) => {
    write(text);
    const said = await wrong({});
    expect(said).toContain(join(folder, "waybill.config.ts"));
    expect(said).toContain(reason);
  });
});

describe("the environment", () => {
  test("is named where it is wrong", async () => {
    const said = await wrong({ env: { WAYBILL_LISTEN_PORT: "many", WAYBILL_NATS_TLS: "perhaps" } });
    expect(said).toContain("WAYBILL_LISTEN_PORT: must be a whole number from 0 to 65535");
    expect(said).toContain("WAYBILL_NATS_TLS: must be boolean");
  });

  test("sets every variable that is listed", async () => {
    const ca = write("-----BEGIN CERTIFICATE-----", "ca.pem");
    const env: Record<string, string> = {};
    for (const { env: name } of settings) if (name?.endsWith("_FILE") === true) env[name] = ca;
    Object.assign(env, urls, {
      WAYBILL_ENGINE: "hybrid",
      WAYBILL_POSTGRES_CONNECTIONS: "33",
      WAYBILL_LISTEN_PORT: "0",
      WAYBILL_MAIL_URL: "smtps://mail.example.org",
      WAYBILL_MAIL_FROM: "shop@example.org",
    });
    const config = await load({ env });
    expect(config.postgres).toMatchObject({ connectionsMax: 33, schema: "waybill" });
    expect(config.nats).toMatchObject({
      credentials: expect.stringContaining("BEGIN") as string,
      tls: { keyFile: ca },
    });
    expect(config.kafka?.tls).toEqual({ caFile: ca, certFile: ca, keyFile: ca });
    expect(config.http.port).toBe(0);
    expect(config.mail).toMatchObject({ caFile: ca, secure: true, port: 465 });
  });
});

describe("what cannot work is named with its reason", () => {
  const nats = { engine: "nats" } as const;
  const hybrid = { engine: "hybrid" } as const;
  test.each([
    [{ topics: { ordres: {} } }, "topics.ordres: there is no such topic; there are orders-in,"],
    [{ services: { paymnts: { lanes: 2 } } }, "services.paymnts: there is no such service; there are catalogue,"],
    [{ ...nats, services: { orders: { lanes: 2 } } }, "services.orders.lanes: must be at most 1 (was 2)"],
    [{ services: { payments: { lanes: 33 } } }, "services.payments.lanes: must be at most 32 (was 33)"],
    [
      { ...nats, topics: { orders: { broker: "kafka" } } },
      'topics.orders.broker: the engine nats has no broker kafka; use the engine "hybrid"',
    ],
    [{ topics: { orders: { broker: "kafka" } } }, "topics.orders.broker: the engine embedded has no broker kafka"],
    [{ topics: { "*": { replicas: 3 } } }, "topics.*.replicas: the embedded engine keeps topics in one file"],
    [
      { ...hybrid, topics: { products: { storage: "memory" } } },
      "topics.products.storage: Kafka keeps topics on disks only",
    ],
    [{ engine: "kafka", topics: { "*": { storage: "memory" } } }, "topics.*.storage: Kafka keeps topics on disks only"],
    [{ store: "postgres" }, "store: the engine embedded keeps its states in sqlite, not postgres"],
    [{ ...nats, mirrors: [{ topic: "orders", to: "kafka" }] }, "mirrors[0]: the engine nats has one log only"],
    [{ ...hybrid, mirrors: [{ topic: "ordres", to: "kafka" }] }, "mirrors[0].topic: there is no topic ordres"],
    [{ ...hybrid, mirrors: [{ topic: "orders", to: "nats" }] }, "mirrors[0].to: orders lives on nats itself"],
    [
      {
        ...hybrid,
        mirrors: [
          { topic: "orders", to: "kafka" },
          { topic: "orders", to: "kafka" },
        ],
      },
      "mirrors[1].topic: orders is mirrored already",
    ],
    [{ ...nats, nats: { url: "http://one" } }, "nats.url: must be like nats://127.0.0.1:4222"],
    [{ ...nats, postgres: { url: "one:5432" } }, "postgres.url: must be like postgres://"],
    [{ engine: "kafka", kafka: { url: "one" } }, "kafka.url: must be like 127.0.0.1:9092"],
    [{ ...nats, nats: { user: "a", token: "b" } }, "nats: nats.user and nats.token are given; log in in one way"],
    [{ ...nats, nats: { tls: { certFile: "x" } } }, "nats.tls: a certificate and its key go together"],
    [{ ...nats, nats: { tls: { caFile: "/nowhere.pem" } } }, "nats.tls.caFile: /nowhere.pem cannot be read: ENOENT"],
    [{ mail: { from: "shop@example.org" } }, "mail.from: is for a mail server; set mail.url as well, such as smtp://"],
    [{ mail: { url: "mail.example.org:25" } }, "mail.url: must be like smtp://"],
    [{ mail: { url: "smtp://mail.example.org" } }, "mail.from: must say whose letters these are, such as"],
    [{ mail: { url: "smtp://one", from: "a@b\r\nBcc: c@d" } }, "mail.from: must say whose letters these are, such as"],
    [{ mail: { url: "smtp://ann@one", from: "a@b.c" } }, "mail: a user and a password go together"],
    [{ mail: { url: "smtp://ann:x@one", from: "a@b.c", tls: "none" } }, "mail.tls: must be required where a password"],
    [
      { mail: { url: "smtp://one", from: "a@b.c", caFile: "/nowhere.pem" } },
      "mail.caFile: /nowhere.pem cannot be read",
    ],
  ] as const)("%o", async (flags, reason) => {
    const env = Object.fromEntries(
      Object.entries(urls).filter(([name]) => !("nats" in flags && name.includes("NATS"))),
    );
    for (const name of ["postgres", "kafka"] as const)
      if (name in flags) delete env[`WAYBILL_${name.toUpperCase()}_URL`];
    expect(await wrong({ env, flags: flags as NonNullable<ConfigSources["flags"]> })).toContain(reason);
  });
});

describe("a mail server", () => {
  test("is known by its URL, with names in the way that people write them", async () => {
    const env = {
      WAYBILL_MAIL_URL: "smtp://sh%40p:h%C3%BCsh@mail.example.org",
      WAYBILL_MAIL_FROM: '"Ann\'s" <a@b.example>',
    };
    expect((await load({ env })).mail).toEqual({
      host: "mail.example.org",
      port: 587,
      secure: false,
      tls: "required",
      user: "sh@p",
      password: "hüsh",
      from: { name: "Ann's", address: "a@b.example" },
      connectionsMax: 4,
    });
    const text = shownText(await load({ env }));
    expect(text).toMatch(/mail\.password +\*\*\*/);
    expect(text).not.toContain("hüsh");
  });

  test("need not be", async () => {
    expect((await load({})).mail).toBeUndefined();
  });
});

describe("what is shown", () => {
  test("has no secrets", async () => {
    const env = { ...urls, WAYBILL_KAFKA_USER: "ann", WAYBILL_KAFKA_PASSWORD: "hush", WAYBILL_NATS_TOKEN: "quiet" };
    const config = await load({ env, flags: { engine: "hybrid" } });
    for (const text of [shownText(config), JSON.stringify(shown(config))]) {
      expect(text).not.toMatch(/hush|quiet|same/);
      expect(text).toContain("postgres://shop:***@db:5432/shop");
    }
    expect(shown(config)).toMatchObject({ kafka: { user: "ann", password: "***" }, nats: { token: "***" } });
    expect(shownText(config)).toMatch(/^topics\.orders\.broker +nats$/m);
  });
});

/** The paths of everything that a schema lets be said. */
function pathsOf(node: unknown, path = ""): readonly string[] {
  interface Node {
    readonly optional?: readonly { key: string; value: unknown }[];
    readonly required?: readonly { key: string; value: unknown }[];
    readonly index?: readonly { value: unknown }[];
    readonly sequence?: unknown;
    readonly proto?: string;
  }
  if (typeof node !== "object" || node === null) return [path];
  const { optional = [], required = [], index = [], sequence } = node as Node;
  const within = (name: string) => (path === "" ? name : `${path}.${name}`);
  const found = [...optional, ...required].flatMap(({ key, value }) => pathsOf(value, within(key)));
  const named = index.flatMap(({ value }) => pathsOf(value, within("*")));
  const listed = sequence === undefined ? [] : pathsOf(sequence, `${path}[]`);
  const all = [...found, ...named, ...listed];
  return all.length > 0 ? all : [path];
}

test("every setting is listed, and nothing else", () => {
  expect(settings.map(({ path }) => path).toSorted()).toEqual([...new Set(pathsOf(configSchema.json))].toSorted());
});
