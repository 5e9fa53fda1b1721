// One part of the growth measurement in a process of its own: `child.ts JSON`. Prints one line of JSON; a shop that is to be
// killed then goes on under load until somebody does.
import { drive } from "../drive.ts";
import { openShopUnderLoad, type ShopUnderLoad } from "../shop-under-load.ts";
import { growMessages, growProducts, inFlight, productsAtFirst } from "./sweep.ts";

/** What the process is asked for. */
export type Asked =
  | { readonly part: "messages" | "products"; readonly base: string; readonly stops: readonly number[] }
  | { readonly part: "restart"; readonly base: string; readonly folder: string; readonly spawnedAtMs: number };

const tell = (result: unknown): void => void process.stdout.write(`${JSON.stringify(result)}\n`);

async function underLoadUntilKilled(load: ShopUnderLoad): Promise<void> {
  await drive(load, { inFlight, seconds: Infinity });
}

/** From the start of the process until its first batch is committed, in a shop that was killed. */
async function restart(asked: Asked & { readonly part: "restart" }): Promise<void> {
  const load = await openShopUnderLoad({ base: asked.base, folder: asked.folder, skus: productsAtFirst });
  load.place().placed.catch((error: unknown) => process.stderr.write(`An order was refused: ${String(error)}\n`));
  while (!load.shop.worker.lanes().some(({ counts }) => counts.batches > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  tell(Date.now() - asked.spawnedAtMs);
  await underLoadUntilKilled(load);
}

const asked = JSON.parse(process.argv[2]!) as Asked;
if (asked.part === "restart") await restart(asked);
else if (asked.part === "products") tell(await growProducts(asked));
else {
  const { load, stops } = await growMessages(asked);
  tell({ folder: load.folder, stops });
  await underLoadUntilKilled(load);
}
