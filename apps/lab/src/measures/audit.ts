import { auditFolder } from "@waybill/auditor";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drive } from "../drive.ts";
import { ledgerGateway } from "../ledger-gateway.ts";
import { openShopUnderLoad } from "../shop-under-load.ts";

export interface Audited {
  readonly balanced: boolean;
  readonly orders: number;
  /** What was checked of each law, 1 to 9. */
  readonly checked: readonly number[];
  /** From the start of the process to its report. */
  readonly seconds: number;
  /** Processor time of all its threads. */
  readonly cpuSeconds: number;
  readonly rssMiBMax: number;
  /** The shop's file and the gateway's. */
  readonly fileMiB: number;
}

/** Written when a folder holds all that it should: one without it was left behind by a run that was ended. */
const whole = "filled";

/** A data folder as so many orders leave it, all completed, with all messages kept and the gateway's ledger; one that is there is kept. */
export async function fillForAudit(options: {
  readonly folder: string;
  readonly orders: number;
  readonly inFlight: number;
}): Promise<{ readonly isNew: boolean }> {
  const { folder, orders, inFlight } = options;
  if (existsSync(join(folder, whole))) return { isNew: false };
  mkdirSync(folder);
  using gateway = ledgerGateway(join(folder, "gateway"));
  await using load = await openShopUnderLoad({ base: folder, folder, isNew: true, skus: 1_000, gateway });
  for (let part = 1; part <= 10; part++) {
    await drive(load, { inFlight, orders: Math.ceil(orders / 10) });
    process.stderr.write(`${part * 10} % of ${orders.toLocaleString("en")} orders\n`);
  }
  await load.quiet(500);
  writeFileSync(join(folder, whole), "");
  return { isNew: true };
}

/** What `waybill audit` does with a data folder, in this process, which has done nothing before. */
export async function auditOf({ folder }: { readonly folder: string }): Promise<Audited> {
  const ledgerFile = join(folder, "gateway", "gateway.sqlite");
  const { balanced, orders, laws } = await auditFolder({ folder, ledgerFile });
  const seconds = performance.now() / 1_000;
  const { user, system } = process.cpuUsage();
  return {
    balanced,
    orders,
    checked: laws.map((law) => law.checked),
    seconds,
    cpuSeconds: (user + system) / 1e6,
    rssMiBMax: Math.round(process.resourceUsage().maxRSS / 1_024),
    fileMiB: Math.round(
      [join(folder, "waybill.db"), ledgerFile].reduce((sum, path) => sum + statSync(path).size, 0) / 1_048_576,
    ),
  };
}
