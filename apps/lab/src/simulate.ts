import { planOf } from "./simulate/plan.ts";
import { run } from "./simulate/run.ts";

const [from = 1, to = 20] = (process.argv[2] ?? "1..20").split("..").map(Number);
const began = performance.now();
let failed = 0;
for (let seed = from; seed <= to; seed++) {
  const result = await run(planOf(seed));
  if (result.errors.length > 0 && failed++ < 12) console.log(seed, result.plan.items.filter((i) => !["order","cancel","twist","price","adjust"].includes(i.kind)).map((i) => i.kind).join(","), result.errors.slice(0, 3));
  if (to - from < 10) console.log(seed, result.hash, result.events, result.orders, result.settledAfterMs, result.errors.length);
}
const s = (performance.now() - began) / 1000;
console.log(`${failed} of ${to - from + 1} failed, ${((to - from + 1) / s).toFixed(1)} seeds/s, cpu ${process.cpuUsage().user / 1e6}`);
