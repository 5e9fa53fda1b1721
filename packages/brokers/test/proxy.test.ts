import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startProxy, type Proxy } from "@waybill/brokers";
import { becomes } from "../src/processes.ts";

const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket));
let proxy: Proxy;

beforeEach(async () => {
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await startProxy(`nats://127.0.0.1:${(echo.address() as AddressInfo).port}`);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  echo.close();
});

/** A connection through the proxy and all that came back on it. */
async function client() {
  const socket = connect(proxy.port, "127.0.0.1");
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString()));
  socket.on("error", () => {});
  await once(socket, "connect");
  return { socket, hears: async (text: string) => expect(await becomes(() => heard === text, 5_000)).toBe(true) };
}

/** How the other side ended the connection: properly, or by which error. */
async function ended(socket: Socket): Promise<string> {
  return await new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("end", () => resolve("end"));
  });
}

test("passes on both ways, and the end", async () => {
  const { socket, hears } = await client();
  expect(proxy.url).toBe(`nats://127.0.0.1:${proxy.port}`);
  socket.write("hello");
  await hears("hello");
  const end = ended(socket);
  socket.end();
  expect(await end).toBe("end");
  expect(await becomes(() => proxy.connections === 0, 5_000)).toBe(true);
});

test("holds what is sent while it is frozen, of old connections and new, and passes it on in order", async () => {
  const old = await client();
  old.socket.write("a");
  await old.hears("a");
  proxy.freeze();
  const fresh = await client();
  old.socket.write("b");
  fresh.socket.write("c");
  // Another server behind another proxy has answered twice: the frozen one had its time.
  await using other = await startProxy({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port });
  for (const text of ["x", "y"]) {
    const socket = connect(other.port, "127.0.0.1");
    socket.write(text);
    expect(String((await once(socket, "data"))[0])).toBe(text);
    socket.destroy();
  }
  await old.hears("a");
  await fresh.hears("");
  proxy.thaw();
  old.socket.write("d");
  await old.hears("abd");
  await fresh.hears("c");
});

test("cuts connections, frozen ones too, with a reset", async () => {
  const [one, other] = [await client(), await client()];
  one.socket.write("a");
  await one.hears("a");
  proxy.freeze();
  const ends = Promise.all([ended(one.socket), ended(other.socket)]);
  proxy.cut();
  expect(await ends).toEqual(["ECONNRESET", "ECONNRESET"]);
  proxy.thaw();
  const next = await client();
  next.socket.write("b");
  await next.hears("b");
});

test("refuses new connections and leaves old ones be", async () => {
  const old = await client();
  await proxy.refuse();
  await expect(client()).rejects.toThrow("ECONNREFUSED");
  old.socket.write("a");
  await old.hears("a");
  await proxy.accept();
  await proxy.accept();
  const fresh = await client();
  fresh.socket.write("b");
  await fresh.hears("b");
});

test("delays, in order", async () => {
  const { socket, hears } = await client();
  proxy.delay(20);
  const began = performance.now();
  for (const text of ["a", "b", "c"]) socket.write(text);
  await hears("abc");
  // Once on the way there and once on the way back; how much longer than that is the machine's affair.
  expect(performance.now() - began).toBeGreaterThanOrEqual(38);
});

test("breaks a connection whose server is gone", async () => {
  echo.close();
  const { socket } = await client();
  expect(await ended(socket)).toBe("ECONNRESET");
});
