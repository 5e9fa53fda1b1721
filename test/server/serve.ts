// The server as the command line starts it, with options that only tests need: node test/server/serve.ts '{"data": …}'
import { runServer, welcome, type ServerOptions } from "@waybill/server";

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
try {
  process.exit(await runServer(options, (running) => process.stdout.write(`${welcome(running).join("\n")}\n`)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
