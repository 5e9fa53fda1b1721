import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort, startKafka, startNats, startPostgres, type Server, type ServerOptions } from "@waybill/brokers";
import { childrenOf, isAlive } from "../src/processes.ts";
import { kafkaNotes, natsNotes, postgresNotes, type Notes } from "./clients.ts";

interface Kind {
  readonly name: string;
  start(options?: ServerOptions): Promise<Server>;
  notes(url: string): Promise<Notes>;
}

const kinds: readonly Kind[] = [
  { name: "NATS", start: startNats, notes: natsNotes },
  { name: "Kafka", start: startKafka, notes: kafkaNotes },
  { name: "PostgreSQL", start: startPostgres, notes: postgresNotes },
];

/** The first letter of what the system says that each process does: T for one that is stopped. */
function statesOf(pids: readonly number[]): string[] {
  const states = execFileSync("ps", ["-o", "stat=", "-p", pids.join(",")], { encoding: "utf8" });
  return states
    .trim()
    .split("\n")
    .map((state) => state.trim()[0]!);
}

/** Rejects when nobody takes connections there. */
async function reach(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}

describe.each(kinds)("$name", ({ name, start, notes }) => {
  test("keeps what it acknowledged: killed, stopped, held and going on", async () => {
    await using server = await start();
    const first = { pid: server.pid, folder: server.folder };
    {
      await using client = await notes(server.url);
      await client.write("one");
      await client.write("two");
    }
    const all = [server.pid, ...childrenOf(server.pid)];
    await server.kill();
    expect(all.filter(isAlive)).toEqual([]);
    await expect(reach(server.port)).rejects.toThrow("ECONNREFUSED");

    await server.start();
    expect(server.pid).not.toBe(first.pid);
    expect(server.folder).toBe(first.folder);
    await expect(server.start()).rejects.toThrow(`${name} on port ${server.port} is running already`);
    await using client = await notes(server.url);
    expect(await client.count()).toBe(2);

    server.pause();
    expect(new Set(statesOf([server.pid, ...childrenOf(server.pid)]))).toEqual(new Set(["T"]));
    const third = client.write("three");
    server.resume();
    await third;
    expect(await client.count()).toBe(3);

    await server.stop();
    await server.stop();
    await server.start();
    await using later = await notes(server.url);
    expect(await later.count()).toBe(3);
  });
});

describe("a folder", () => {
  test("that was named stays, with the data of the one before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waybill-named-"));
    try {
      for (const expected of [1, 2]) {
        await using server = await startNats({ folder });
        await using client = await natsNotes(server.url);
        await client.write("one more");
        expect(await client.count()).toBe(expected);
      }
      expect(existsSync(folder)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("that was not is removed", async () => {
    const server = await startPostgres();
    expect(existsSync(server.folder)).toBe(true);
    await server[Symbol.asyncDispose]();
    expect(existsSync(server.folder)).toBe(false);
  });
});

describe("a server that cannot start", () => {
  test.each([
    ["NATS", startNats, "address already in use"],
    ["PostgreSQL", startPostgres, "Address already in use"],
  ])("says so in its own words: %s", async (name, start, words) => {
    const port = await freePort();
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    await expect(start({ port })).rejects.toThrow(new RegExp(`${name} on port ${port} did not start.*${words}`, "s"));
    other.close();
  });

  test("does not outlive the attempt", async () => {
    await expect(startNats({ config: "no such setting: true" })).rejects.toThrow(
      /NATS on port .* did not start: ended/,
    );
  });
});
