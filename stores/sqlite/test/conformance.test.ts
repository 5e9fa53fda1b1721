import { cpSync } from "node:fs";
import { testStore, type StoreUnderTest } from "@waybill/conformance";
import type { Store } from "@waybill/messaging";
import { openFile, sqliteStore, type EmbeddedFile } from "@waybill/store-sqlite";
import { newFolder, world } from "./folder.ts";

/** A store on a file of its own. Only one process may write it, so its peer is the store itself. */
async function underTest(): Promise<StoreUnderTest> {
  const folder = newFolder();
  const files: EmbeddedFile[] = [];
  const open = async (name: string): Promise<Store> => {
    const file = await openFile(`${folder.path}/${name}`, { world });
    files.push(file);
    return sqliteStore(file);
  };
  const store = await open("0");
  return {
    store,
    peer: store,
    /** What a kill leaves is what lies on the disk at that moment: another folder goes on with a copy of it. */
    async crash() {
      const last = `${folder.path}/${files.length - 1}`;
      const next = String(files.length);
      cpSync(last, `${folder.path}/${next}`, { recursive: true });
      return await open(next);
    },
    pass: (ms) => world.sleep(ms),
    async [Symbol.asyncDispose]() {
      for (const file of files) await file.close();
      folder[Symbol.dispose]();
    },
  };
}

testStore("sqlite", underTest);
