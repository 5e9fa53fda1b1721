import { defineConfig } from "vitest/config";

const shared = { testTimeout: 30_000, hookTimeout: 30_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "embedded",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/*.brokers.test.ts"],
        },
      },
      {
        // What needs real servers: they are started when a file asks for them, on 127.0.0.1.
        test: {
          name: "brokers",
          include: ["**/*.brokers.test.ts"],
          exclude: ["**/node_modules/**"],
          globalSetup: ["packages/brokers/src/vitest-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
