// A process that writes as fast as it can until it is killed, and says what is durable. Its argument is the folder.
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { world } from "./folder.ts";
import { append, lane, outgoing, state, topic } from "./lane.ts";

const file = await openFile(process.argv[2]!, { world, limits: { inputsPerWave: 64 } });
const store = sqliteStore(file);
if (!file.log.topics.has("orders")) await topic(file, "orders", { retentionBytes: 400_000 });
if (!file.log.topics.has("doors")) await topic(file, "doors");

/** Each batch raises the state, the position and the lane's batch by one, and sends one message. */
async function write(service: string): Promise<void> {
  const one = await lane(store, service);
  const [known] = await store.load(service, [{ kind: "order", id: "1" }]);
  for (let version = (known?.version ?? 0) + 1; ; version++) {
    const { applied, durable } = one.commit({
      states: [state("1", version)],
      positions: [
        {
          topic: "orders",
          partition: 0,
          logId: "l",
          nextOffset: file.log.topic("orders").nextOffset,
          marks: { version },
        },
      ],
      messages: [outgoing(`${service}-${version}`, "orders", 0, version)],
    });
    void durable.then(() => process.stdout.write(`${service} ${version}\n`));
    await applied;
    if (version % 8 === 0) await durable;
  }
}

async function knock(): Promise<void> {
  for (let n = file.log.topic("doors").nextOffset; ; n++) {
    await append(file, "doors", [`door-${n}`]);
    process.stdout.write(`door ${n}\n`);
  }
}

await Promise.all([write("a"), write("b"), write("c"), knock()]);
