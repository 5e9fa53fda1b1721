import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast, missing, versionOf, which } from "./find.ts";
import { installed, installing, type Progress } from "./installed.ts";
import { go, java, kafkaJars } from "./programs.ts";
import { repository } from "./repository.ts";

// Programs that others write and use, and the examples in other languages: what a test of interoperation runs.

const natsCliVersion = "0.5.1";

/** The `nats` command: WAYBILL_NATS_CLI, or installed by Go into the cache. */
export async function natsCli(progress?: Progress): Promise<string> {
  const named = process.env["WAYBILL_NATS_CLI"];
  if (named !== undefined) return named;
  const folder = await installed(`nats-cli-${natsCliVersion}`, progress, async (into) => {
    const module = `github.com/nats-io/natscli/nats@v${natsCliVersion}`;
    await installing(await go("the nats command"), ["install", module], { GOBIN: into, GOFLAGS: "" });
  });
  return join(folder, "nats");
}

/** A program and what to call it with first. */
export interface Tool {
  readonly program: string;
  readonly args: readonly string[];
}

/** Kafka's own console consumer, of the version that the tests start. */
export async function kafkaConsoleConsumer(): Promise<Tool> {
  const [program, jars] = [await java(), await kafkaJars()];
  const quick = [
    "-Xmx128m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
  ];
  return { program, args: [...quick, "-cp", `${jars}/*`, "org.apache.kafka.tools.consumer.ConsoleConsumer"] };
}

/** examples/python-nats, with a Python of its own that has what it needs: Python 3.9 and its module venv are needed. */
export async function pythonExample(progress?: Progress): Promise<Tool> {
  const example = join(repository, "examples", "python-nats");
  const requirements = join(example, "requirements.txt");
  const folder = await installed(`python-nats-${hashOf(requirements)}`, progress, async (into) => {
    const python = which("python3");
    if (python === undefined || !isAtLeast(await versionOf(python, "--version"), [3, 9]))
      throw missing("Python 3.9 or newer", "on PATH", "it (apt-get install python3-venv)");
    await installing(python, ["-m", "venv", into], {});
    await installing(join(into, "bin", "python"), ["-m", "pip", "install", "--quiet", "-r", requirements], {});
  });
  return { program: join(folder, "bin", "python"), args: [join(example, "shop.py")] };
}

/** examples/go-kafka, built by Go into the cache. */
export async function goExample(progress?: Progress): Promise<Tool> {
  const example = join(repository, "examples", "go-kafka");
  const sources = ["main.go", "go.mod", "go.sum"].map((name) => join(example, name));
  const folder = await installed(`go-kafka-${hashOf(...sources)}`, progress, async (into) => {
    await installing(await go("the example in Go"), ["-C", example, "build", "-o", join(into, "shop"), "."], {
      GOFLAGS: "",
    });
  });
  return { program: join(folder, "shop"), args: [] };
}

/** Changes with what is installed from these files. */
function hashOf(...paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(existsSync(path) ? readFileSync(path) : "");
  return hash.digest("hex").slice(0, 12);
}
