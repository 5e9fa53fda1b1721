import { type Progress } from "../installed.ts";
import type { Kind } from "../kinds.ts";
import { java, kafkaJars, natsServer, pgBouncer, postgresPrograms } from "../programs.ts";

const programs: Readonly<Record<Kind, readonly ((progress: Progress) => string | Promise<string>)[]>> = {
  nats: [natsServer],
  kafka: [kafkaJars, java],
  postgres: [postgresPrograms, pgBouncer],
};

/** Finds or installs the programs of these kinds, and says where each is; what cannot be had is named all at once. */
export async function install(kinds: readonly Kind[], write: Progress): Promise<void> {
  const lacking: string[] = [];
  for (const find of kinds.flatMap((kind) => programs[kind])) {
    try {
      write(await find(write));
    } catch (error) {
      lacking.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (lacking.length > 0) throw new Error(lacking.join("\n"));
}
