import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast, isProgram, missing, searchPath, versionOf, which } from "./find.ts";
import { installed, installing, type Progress } from "./installed.ts";

const natsVersion = "2.15.2";
const kafkaVersion = "4.1.1";

/** nats-server 2.12 or newer: WAYBILL_NATS_SERVER, PATH, the cache, or installed by Go into the cache. */
export async function natsServer(progress?: Progress): Promise<string> {
  const named = process.env["WAYBILL_NATS_SERVER"];
  if (named !== undefined) return await newEnough(named, "WAYBILL_NATS_SERVER");
  const onPath = which("nats-server");
  if (onPath !== undefined && isAtLeast(await versionOf(onPath, "--version"), [2, 12])) return onPath;
  const folder = await installed(`nats-server-${natsVersion}`, progress, installNats);
  return join(folder, "nats-server");
}

async function newEnough(path: string, source: string): Promise<string> {
  const version = await versionOf(path, "--version");
  if (isAtLeast(version, [2, 12])) return path;
  throw new Error(`${source} names ${path}, which says version ${version ?? "nothing"}; nats-server 2.12 is needed.`);
}

async function installNats(folder: string): Promise<void> {
  const instead = "or nats-server itself (https://nats.io/download) on PATH or in WAYBILL_NATS_SERVER";
  const module = `github.com/nats-io/nats-server/v2@v${natsVersion}`;
  await installing(await go("nats-server 2.12 or newer", instead), ["install", module], { GOBIN: folder, GOFLAGS: "" });
}

/** Go 1.21 or newer, which fetches the version that a module asks for. `what` is what it shall build. */
export async function go(what: string, instead = ""): Promise<string> {
  const path = which("go", ["/usr/local/go/bin", "/usr/lib/go/bin"]);
  const install = ["Go 1.21 or newer (apt-get install golang-go, or https://go.dev/dl)", instead];
  if (path === undefined) throw missing(what, "on PATH, and for Go to build it", install.filter(Boolean).join(", "));
  if (isAtLeast(await versionOf(path, "version"), [1, 21])) return path;
  throw new Error(`${path} is older than Go 1.21, which can build ${what}: https://go.dev/dl`);
}

/** A folder with the jars of Kafka 4: WAYBILL_KAFKA_LIBS, the cache, or installed by Maven into the cache. */
export async function kafkaJars(progress?: Progress): Promise<string> {
  const named = process.env["WAYBILL_KAFKA_LIBS"];
  if (named === undefined) return await installed(`kafka-${kafkaVersion}`, progress, installKafka);
  if (existsSync(named) && readdirSync(named).some((jar) => jar.startsWith("kafka-server-4."))) return named;
  throw new Error(
    `WAYBILL_KAFKA_LIBS names ${named}, which has no kafka-server-4.*.jar; Kafka 4.0 or newer is needed.`,
  );
}

async function installKafka(folder: string): Promise<void> {
  const maven = which("mvn");
  if (maven === undefined)
    throw missing(
      "Apache Kafka 4",
      "in WAYBILL_KAFKA_LIBS and Maven to install it",
      "Maven (apt-get install maven), or unpack Kafka and name its libs folder in WAYBILL_KAFKA_LIBS",
    );
  const pom = `${folder}.pom.xml`;
  writeFileSync(pom, kafkaPom);
  const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
  try {
    await installing(
      maven,
      ["-q", "-B", "-f", pom, plugin, `-DoutputDirectory=${folder}`, "-DincludeScope=runtime"],
      {},
    );
  } finally {
    rmSync(pom, { force: true });
  }
}

const kafkaPom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>waybill</groupId><artifactId>kafka-programs</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${kafkaVersion}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
`;

/** Java 17 or newer: of JAVA_HOME or on PATH. */
export async function java(): Promise<string> {
  const home = process.env["JAVA_HOME"];
  const path = home === undefined ? which("java") : join(home, "bin", "java");
  const version = path === undefined ? undefined : await versionOf(path, "-version");
  if (path !== undefined && isAtLeast(version, [17])) return path;
  const found = version === undefined ? "" : ` (found ${version} at ${path})`;
  throw missing(
    `Java 17 or newer${found}`,
    "in JAVA_HOME and on PATH",
    "a Java runtime (apt-get install default-jre-headless)",
  );
}

/** The folder with initdb and postgres 15 or newer: WAYBILL_POSTGRES_BIN, PATH, or where systems install it. */
export async function postgresPrograms(): Promise<string> {
  const named = process.env["WAYBILL_POSTGRES_BIN"];
  const folders = named === undefined ? [...searchPath(), ...postgresFolders()] : [named];
  for (const folder of folders) {
    if (!isProgram(join(folder, "initdb")) || !isProgram(join(folder, "postgres"))) continue;
    if (isAtLeast(await versionOf(join(folder, "postgres"), "--version"), [15])) return folder;
  }
  throw missing(
    "PostgreSQL 15 or newer (initdb and postgres)",
    `in ${named === undefined ? "PATH, /usr/lib/postgresql, /usr/local and Homebrew" : `WAYBILL_POSTGRES_BIN, ${named}`}`,
    "it (apt-get install postgresql)",
  );
}

function postgresFolders(): string[] {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const brewed = ["/opt/homebrew/opt", "/usr/local/opt"].flatMap((opt) =>
    ["@18", "@17", "@16", "@15", ""].map((version) => `${opt}/postgresql${version}/bin`),
  );
  return [...newestFirst.map((version) => `/usr/lib/postgresql/${version}/bin`), "/usr/local/pgsql/bin", ...brewed];
}

/** PgBouncer: WAYBILL_PGBOUNCER, PATH, or where Debian puts it. */
export function pgBouncer(): string {
  const path = process.env["WAYBILL_PGBOUNCER"] ?? which("pgbouncer", ["/usr/sbin", "/opt/homebrew/bin"]);
  if (path !== undefined && isProgram(path)) return path;
  throw missing(
    "PgBouncer",
    `in ${path === undefined ? "WAYBILL_PGBOUNCER, PATH and /usr/sbin" : `WAYBILL_PGBOUNCER, ${path}`}`,
    "it (apt-get install pgbouncer)",
  );
}
