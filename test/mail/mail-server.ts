import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";

/** A letter as it came in. */
export interface Received extends Email {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Whether it came by TLS, and who had logged in. */
  readonly secure: boolean;
  readonly user: unknown;
}

/** What a server does with a letter whose text has come: takes it, refuses it, or takes it and goes away without a word. */
export type Verdict = "take" | "take and hang up" | { readonly status: number; readonly text: string };

export interface MailServerOptions {
  /** Why it does not let a recipient in; undefined when it does. */
  readonly refuse?: (address: string) => { readonly status: number; readonly text: string } | undefined;
  readonly verdict?: (letter: Received) => Verdict | Promise<Verdict>;
  readonly server?: SMTPServerOptions;
}

/** A mail server of a test. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** Every letter that it took, in order. */
  readonly taken: readonly Received[];
  /** How many connections there were. */
  readonly connections: () => number;
}

/** Starts a mail server on 127.0.0.1; port 0 takes any. */
export async function startMailServer(options: MailServerOptions = {}, port = 0): Promise<MailServer> {
  const { refuse, verdict = () => "take" } = options;
  const taken: Received[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    closeTimeout: 1,
    onConnect(_session, done) {
      connections += 1;
      done();
    },
    onRcptTo({ address }, _session, done) {
      const refused = refuse?.(address);
      done(refused && refusal(refused));
    },
    onData: (stream, session, done) => void decide(stream, session).then(...settling(done)),
    ...options.server,
  });

  async function decide(stream: AsyncIterable<Buffer>, session: SMTPServerSession): Promise<void> {
    const letter = await receive(stream, session);
    const decided = await verdict(letter);
    if (typeof decided === "object") throw refusal(decided);
    taken.push(letter);
    if (decided === "take") return;
    for (const connection of server.connections) if (connection.id === session.id) connection.close();
    throw refusal({ status: 451, text: "Nobody hears this." });
  }

  // A client that goes away is nothing that a server complains of here.
  server.on("error", () => undefined);
  const listening = server.listen(port, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    taken,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** What to do with a promise for someone who takes a callback. */
function settling(done: (error?: Error) => void): [() => void, (error: Error) => void] {
  return [() => done(), done];
}

function refusal({ status, text }: { readonly status: number; readonly text: string }): Error {
  return Object.assign(new Error(text), { responseCode: status });
}

async function receive(stream: AsyncIterable<Buffer>, session: SMTPServerSession): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const { mailFrom, rcptTo } = session.envelope;
  return {
    ...(await PostalMime.parse(Buffer.concat(chunks))),
    envelope: { from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address) },
    secure: session.secure,
    user: session.user,
  };
}

/** A letter's header by its name. */
export function headerOf(letter: Email, name: string): string | undefined {
  return letter.headers.find(({ key }) => key === name.toLowerCase())?.value;
}

/** A certificate for localhost that signed itself, and its key: for tests only, and good for a hundred years. */
export const certificateFile = fileURLToPath(new URL("localhost.pem", import.meta.url));
export const withCertificate: SMTPServerOptions = {
  cert: readFileSync(certificateFile),
  key: readFileSync(new URL("localhost.key", import.meta.url)),
};
