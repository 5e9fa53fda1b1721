// The growth of a shop on one broker, in a process of its own: `child.ts JSON`. Prints one line of JSON.
import { growOnBroker, type GrowthOptions } from "./sweep.ts";

process.stdout.write(`${JSON.stringify(await growOnBroker(JSON.parse(process.argv[2]!) as GrowthOptions))}\n`);
