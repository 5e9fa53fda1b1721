import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { newFolder, world } from "./folder.ts";
import { idsOf } from "./lane.ts";

/** Builds the library that notes what was not synced. Needs a C compiler. */
function builtForgetful(folder: string): string {
  const library = join(folder, "forgetful.so");
  const source = join(import.meta.dirname, "forgetful.c");
  execFileSync("cc", ["-O2", "-fPIC", "-shared", "-o", library, source, "-ldl"], { stdio: "inherit" });
  return library;
}

/** Lets the child write until it has said so many lines, then kills it; the highest number by writer. */
async function killedAfter(data: string, lines: number, env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "busy-child.ts"), data], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const said = new Map<string, number>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [writer, number] = line.split(" ");
    if (number !== undefined && number !== "") said.set(writer!, Math.max(said.get(writer!) ?? 0, Number(number)));
    if (++count === lines) child.kill("SIGKILL");
  }
  if (count < lines) throw new Error(`The child ended by itself after ${count} lines.`);
  return said;
}

interface Note {
  readonly inode: bigint;
  readonly offset: number;
  readonly size: number;
  readonly kind: string;
  readonly before: Buffer;
}

/** The notes of the journal, as the library wrote them; one that the kill cut short is no note. */
function* notesOf(journal: Buffer): Generator<Note> {
  for (let at = 0; at + 40 <= journal.length;) {
    const length = Number(journal.readBigInt64LE(at + 16));
    if (at + 40 + length > journal.length) return;
    yield {
      inode: journal.readBigUInt64LE(at),
      offset: Number(journal.readBigInt64LE(at + 8)),
      size: Number(journal.readBigInt64LE(at + 24)),
      kind: String.fromCharCode(journal[at + 32]!),
      before: journal.subarray(at + 40, at + 40 + length),
    };
    at += 40 + length;
  }
}

/** Undoes what was written since each file's last sync, the last write first; how many writes that were. */
function cutPower(data: string, journal: string): number {
  const unsynced = new Map<bigint, Note[]>();
  for (const note of notesOf(readFileSync(journal))) {
    if (note.kind === "s") unsynced.set(note.inode, []);
    else unsynced.set(note.inode, [...(unsynced.get(note.inode) ?? []), note]);
  }
  let undone = 0;
  for (const name of readdirSync(data)) {
    const path = join(data, name);
    const notes = unsynced.get(statSync(path, { bigint: true }).ino) ?? [];
    if (notes.length === 0) continue;
    const file = openSync(path, "r+");
    for (const { offset, size, before } of notes.toReversed()) {
      if (before.length > 0) writeSync(file, before, 0, before.length, offset);
      ftruncateSync(file, size);
    }
    undone += notes.length;
    closeSync(file);
  }
  rmSync(journal);
  return undone;
}

test("when the power is cut, all that was durable is there, though the disk forgets what was not synced", async () => {
  using folder = newFolder();
  using data = newFolder();
  const journal = join(folder.path, "journal");
  const env = { LD_PRELOAD: builtForgetful(folder.path), FORGETFUL: data.path, FORGETFUL_JOURNAL: journal };
  let undone = 0;
  for (const lines of [1, 60, 300, 900]) {
    const said = await killedAfter(data.path, lines, env);
    undone += cutPower(data.path, journal);
    await using file = await openFile(data.path, { world });
    const store = sqliteStore(file);
    for (const service of ["a", "b", "c"]) {
      const [known] = await store.load(service, [{ kind: "order", id: "1" }]);
      expect(known?.version ?? 0).toBeGreaterThanOrEqual(said.get(service) ?? 0);
      expect((await store.survey([service])).lanes[0]?.batch ?? 0).toBe(known?.version ?? 0);
    }
    expect(idsOf(file, "doors").length).toBeGreaterThan(said.get("door") ?? -1);
  }
  // It was a cut in the midst of work: something had been written and not synced.
  expect(undone).toBeGreaterThan(0);
});
