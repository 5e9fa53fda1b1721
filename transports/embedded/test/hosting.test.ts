import { cpSync } from "node:fs";
import { testHosting, type HostingUnderTest } from "@waybill/conformance";
import { openFile, sqliteStore, type EmbeddedFile } from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";
import { newFolder, world } from "./under-test.ts";

async function underTest(): Promise<HostingUnderTest> {
  const folder = newFolder();
  const files: EmbeddedFile[] = [];
  const open = async () => {
    const file = await openFile(`${folder.path}/${files.length}`, { world });
    files.push(file);
    return { store: sqliteStore(file), transport: embeddedTransport(file) };
  };
  return {
    ...(await open()),
    /** What a kill leaves is what lies on the disk at that moment: another folder goes on with a copy of it. */
    async crash() {
      cpSync(`${folder.path}/${files.length - 1}`, `${folder.path}/${files.length}`, { recursive: true });
      return await open();
    },
    async [Symbol.asyncDispose]() {
      for (const file of files) await file.close();
      folder[Symbol.dispose]();
    },
  };
}

testHosting("the embedded engine", underTest);
