// `node transports/nats/bench/run.ts nats://127.0.0.1:4222`: measures on that server and prints the figures as JSON.
import { measureNats } from "./measure.ts";

const [url = "nats://127.0.0.1:4222", durationMs = "15000", stored = "200000"] = process.argv.slice(2);
const figures = await measureNats({ url, durationMs: Number(durationMs), stored: Number(stored) });
process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
