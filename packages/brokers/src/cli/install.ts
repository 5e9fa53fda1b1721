import { type Progress } from "../installed.ts";
import type { Kind } from "../kinds.ts";
import { goExample, natsCli, pythonExample, type Tool } from "../clients.ts";
import { java, kafkaJars, natsServer, pgBouncer, postgresPrograms } from "../programs.ts";

type Found = string | Tool;

const programs: Readonly<Record<Kind, readonly ((progress: Progress) => Found | Promise<Found>)[]>> = {
  nats: [natsServer, natsCli, pythonExample],
  kafka: [kafkaJars, java, goExample],
  postgres: [postgresPrograms, pgBouncer],
};

/** Finds or installs the programs of these kinds, and says where each is; what cannot be had is named all at once. */
export async function install(kinds: readonly Kind[], write: Progress): Promise<void> {
  const lacking: string[] = [];
  for (const find of kinds.flatMap((kind) => programs[kind])) {
    try {
      const found = await find(write);
      write(typeof found === "string" ? found : found.program);
    } catch (error) {
      lacking.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (lacking.length > 0) throw new Error(lacking.join("\n"));
}
