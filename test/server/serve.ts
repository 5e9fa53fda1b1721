// The server as the command line starts it, with options that only tests need: node test/server/serve.ts '{"data": …}'
import { runServer, type ServerOptions } from "@waybill/server";

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
try {
  process.exit(await runServer(options, (line) => process.stdout.write(`${line}\n`)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
