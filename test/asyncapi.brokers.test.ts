import { expect, test } from "vitest";
import { output } from "./readme/shell.ts";

// It is among the suites on real servers since it needs what they need: the network, the first time.
test("the AsyncAPI document of all messages is valid by the parser of its own project", async () => {
  expect(await output("npm", "run", "--silent", "asyncapi")).toMatch(/[1-9]\d{4,} bytes of valid AsyncAPI 3\.0\n$/);
});
