import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadConfig } from "@waybill/server";
import { expect, test } from "vitest";
import { settings } from "../../src/config/settings.ts";

const root = new URL("../../../../", import.meta.url);
const page = readFileSync(new URL("docs/configuration.md", root), "utf8");
const sample = new URL("examples/hybrid/waybill.config.ts", root);

/** The rows of the page's table of settings, without the spaces that line its columns up. */
function rows(): readonly string[] {
  const lines = page.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => line.replaceAll(/ *\| */g, "|"));
}

test("the page lists every setting as the code has it", () => {
  const listed = settings.map(
    ({ path, env, fallback, text }) =>
      `|\`${path}\`|${env === undefined ? "" : `\`${env}\``}|${fallback}|${text.replaceAll("|", "\\|")}|`,
  );
  expect(rows()).toEqual(listed);
});

test("the page shows the sample file, and that can be loaded", async () => {
  expect(page).toContain(`\`\`\`ts\n${readFileSync(sample, "utf8")}\`\`\`\n`);
  const env = {
    WAYBILL_POSTGRES_URL: "postgres://shop@db:5432/shop",
    WAYBILL_NATS_URL: "nats://one:4222",
    WAYBILL_KAFKA_URL: "one:9092",
  };
  const file = fileURLToPath(sample);
  const config = await loadConfig({ file, env });
  const byDefault = await loadConfig({ env, flags: { engine: "hybrid" } });
  const brokers = (one: typeof config) => Object.entries(one.topics).map(([name, { broker }]) => `${name} ${broker}`);
  expect(brokers(config)).toEqual(brokers(byDefault));
  expect(config.mirrors.map(({ topic }) => topic)).toEqual(byDefault.mirrors.map(({ topic }) => topic));
  expect(config.services["payments"]).toEqual({ lanes: 8 });
});
