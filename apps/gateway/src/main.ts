import { parseArgs } from "node:util";
import { openGateway, type GatewayOptions } from "./open.ts";

const usage = `Usage: node apps/gateway/src/main.ts --data FOLDER [--port 0] [--host 127.0.0.1] [--seed INTEGER]
  [--authorisation-ttl-ms MS] [--slow-token-ms MS] [--child]`;

/** A whole number from an option, or undefined when it is not given. Throws naming the option. */
function wholeNumber(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text) || Number(text) > max) {
    throw new Error(`--${name} has to be a whole number from 0 to ${max}, not "${text}".`);
  }
  return Number(text);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readOptions(): { options: GatewayOptions; child: boolean } {
  const string = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      data: string,
      port: string,
      host: string,
      seed: string,
      "authorisation-ttl-ms": string,
      "slow-token-ms": string,
      child: { type: "boolean" },
    },
  });
  if (values.data === undefined) throw new Error("--data is missing: the folder of the gateway's ledger.");
  const seed = wholeNumber("seed", values.seed, 2 ** 31);
  const authorisationTtlMs = wholeNumber("authorisation-ttl-ms", values["authorisation-ttl-ms"], 10 ** 12);
  const slowTokenMs = wholeNumber("slow-token-ms", values["slow-token-ms"], 86_400_000);
  const options: GatewayOptions = {
    data: values.data,
    port: wholeNumber("port", values.port, 65_535) ?? 0,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(seed === undefined ? {} : { seed }),
    ...(authorisationTtlMs === undefined ? {} : { authorisationTtlMs }),
    ...(slowTokenMs === undefined ? {} : { slowTokenMs }),
  };
  return { options, child: values.child === true };
}

async function main(): Promise<void> {
  let read: ReturnType<typeof readOptions>;
  try {
    read = readOptions();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${usage}\n`);
    process.exitCode = 2;
    return;
  }
  const gateway = await openGateway(read.options);
  const stop = () => void gateway.close().finally(() => process.exit());
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  // The parent's end of this pipe closes when the parent dies, however it dies.
  if (read.child) process.stdin.once("close", stop).resume();
  process.stdout.write(`${JSON.stringify({ url: gateway.url, pid: process.pid, seed: gateway.seed })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`The gateway cannot start: ${messageOf(error)}\n`);
  process.exitCode = 1;
});
