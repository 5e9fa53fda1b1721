import { defineConfig } from "vitest/config";

const shared = { testTimeout: 30_000, hookTimeout: 30_000 };

/** What needs real servers: they are started when a file asks for them, on 127.0.0.1. */
const onServers = {
  exclude: ["**/node_modules/**"],
  globalSetup: ["packages/brokers/src/vitest-setup.ts"],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    // Most tests wait as much as they work: no core is left over for Vitest itself.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          ...shared,
          name: "embedded",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.brokers.test.ts", "**/*.long.test.ts"],
        },
      },
      {
        test: { ...onServers, name: "brokers", include: ["**/*.brokers.test.ts"] },
      },
      {
        // Whole shops on real servers that fail, for minutes: before a release, and not with every change.
        test: { ...onServers, name: "long", include: ["**/*.long.test.ts"] },
      },
    ],
  },
});
