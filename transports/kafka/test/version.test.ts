import { createServer, type AddressInfo } from "node:net";
import { kafkaTransport } from "@waybill/transport-kafka";
import { expect, test } from "vitest";
import { rejection } from "./steps.ts";

/** A broker that answers nothing but the first question, which of its APIs and features there are. */
async function brokerOfLevel(level: number | undefined): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((socket) => {
    socket.on("data", (request) => socket.write(answerTo(request, level)));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** An ApiVersions answer, version 4: no APIs, and `metadata.version` among the supported features if there is a level. */
function answerTo(request: Buffer, level: number | undefined): Buffer {
  const name = Buffer.from("metadata.version");
  const feature = [2, name.length + 1, ...name, 0, 1, 0, level ?? 0, 0];
  const tags = level === undefined ? [0] : [1, 0, feature.length, ...feature];
  const body = Buffer.from([...request.subarray(8, 12), 0, 0, 1, 0, 0, 0, 0, ...tags]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

test.each([
  [21, "3.9"],
  [14, "3.6"],
  [undefined, "older than 3.0"],
])("a broker whose metadata level is %s is refused, with what was found and what is needed", async (level, release) => {
  await using broker = await brokerOfLevel(level);
  const error = await rejection(kafkaTransport({ bootstrap: broker.url }));
  expect(error.code).toBe("CONTRACT_INVALID");
  expect(error.message).toContain(release);
  expect(error.message).toContain("4.0");
});

test("a broker that is not there is said to be unreachable, with its address", async () => {
  const error = await rejection(kafkaTransport({ bootstrap: "127.0.0.1:1" }));
  expect(error.code).toBe("TRANSPORT_UNAVAILABLE");
  expect(error.message).toContain("127.0.0.1:1");
});

test.each(["", "host:99999", "a b:9092", "http://host:1/path"])("the address %j is refused", async (bootstrap) => {
  expect((await rejection(kafkaTransport({ bootstrap }))).code).toBe("CONTRACT_INVALID");
});
