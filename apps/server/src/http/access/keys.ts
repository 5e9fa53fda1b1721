import { timingSafeEqual } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, type World } from "@waybill/messaging";
import { newKey, partsOf, readKeyFile, secretHash, type KeyEntry, type Role } from "./key-file.ts";

/** Who makes a request. */
export interface Caller {
  /** The id of his key, for logs and limits. */
  readonly id: string;
  readonly role: Role;
  /** The only customer that he may speak for; undefined: any. */
  readonly customer: string | undefined;
  /** How many requests a minute he may make; undefined: any number. */
  readonly ratePerMinute: number | undefined;
}

/** Who may ask what. */
export interface Keys {
  /** Whether a request needs a key: always when others can reach the server, else as soon as there is one. */
  isRequired(): boolean;
  /** Whose key a request bears; undefined when it bears none that is known. */
  callerOf(authorization: string | undefined): Caller | undefined;
}

export interface KeysOptions {
  readonly file: string;
  /** Whether only this machine can reach the server. */
  readonly isLoopback: boolean;
  readonly world: Pick<World, "monotonicMs" | "log">;
  /** A key beside the file's, such as the one for commands on this machine. */
  readonly local?: KeyEntry;
}

/** How many requests a minute a key may make that says nothing else. */
export const ratePerMinuteDefault = 60_000;
const lookEveryMs = 1_000;

/**
 * The keys of a file, which is looked at again when it has changed, so that keys come and go without a restart. A file that
 * cannot be read any more changes nothing; one that cannot be read at first throws.
 */
export function openKeys({ file, isLoopback, world, local }: KeysOptions): Keys {
  let stamp = stampOf(file);
  let byId = indexed(readKeyFile(file), local);
  let lookedMs = world.monotonicMs();

  function refresh(): void {
    const nowMs = world.monotonicMs();
    if (nowMs - lookedMs < lookEveryMs) return;
    lookedMs = nowMs;
    const found = stampOf(file);
    if (found === stamp) return;
    stamp = found;
    try {
      byId = indexed(readKeyFile(file), local);
      world.log("info", "The keys were read again.", { keys: byId.size - (local === undefined ? 0 : 1) });
    } catch (error) {
      world.log("error", "The keys cannot be read; those known so far stay.", { error: messageOf(error) });
    }
  }

  return {
    isRequired() {
      refresh();
      return !isLoopback || byId.size > (local === undefined ? 0 : 1);
    },
    callerOf(authorization) {
      refresh();
      const parts = partsOf(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "");
      if (parts === undefined) return undefined;
      const entry = byId.get(parts.id);
      // Compared also when there is no such key, so that time tells nothing of which ids there are.
      const isSame = timingSafeEqual(
        Buffer.from(secretHash(parts.secret), "hex"),
        Buffer.from(entry?.sha256 ?? secretHash(""), "hex"),
      );
      return isSame && entry !== undefined ? callerFrom(entry, entry === local) : undefined;
    },
  };
}

function callerFrom({ id, role, customer, ratePerMinute }: KeyEntry, isLocal: boolean): Caller {
  return { id, role, customer, ratePerMinute: isLocal ? undefined : (ratePerMinute ?? ratePerMinuteDefault) };
}

function indexed(entries: readonly KeyEntry[], local: KeyEntry | undefined): ReadonlyMap<string, KeyEntry> {
  return new Map([...entries, ...(local === undefined ? [] : [local])].map((entry) => [entry.id, entry]));
}

/** What changes when a file does. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.mtimeMs}/${stat.size}/${stat.ino}`;
}

/** Where a server leaves the key for commands that are run by whoever may read its data folder. */
export function localKeyFile(folder: string): string {
  return join(folder, "operator.key");
}

/** Makes an operator's key that lives as long as the server, for commands on its data folder. */
export function openLocalKey(folder: string): Disposable & { readonly entry: KeyEntry } {
  const { key, entry } = newKey({ role: "operator" });
  const file = localKeyFile(folder);
  rmSync(file, { force: true });
  writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" });
  return { entry, [Symbol.dispose]: () => rmSync(file, { force: true }) };
}
