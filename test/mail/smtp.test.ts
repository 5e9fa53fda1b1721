import type { EffectCall } from "@waybill/messaging";
import type { Mail } from "@waybill/notifications";
import { effective, smtpMailer, type WaybillConfig } from "@waybill/server";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { certificateFile, headerOf, startMailServer, withCertificate, type Verdict } from "./mail-server.ts";

const mail: Mail = {
  orderId: "o-1",
  kind: "confirmed",
  to: "ann@example.org",
  subject: "Your order o-1 is confirmed – grüezi",
  text: "Thank you, Ann & <b>Bob</b>.\n.\nWe will write again.",
};

const from = "Mugs & More <shop@mugs.example>";

function mailerTo(server: number | NonNullable<WaybillConfig["mail"]>) {
  const said = typeof server === "number" ? { url: `smtp://127.0.0.1:${server}` } : server;
  return smtpMailer(effective({ mail: { from, tls: "none", ...said } }).mail!);
}

function call(key = "k3Y_-x", signal = new AbortController().signal): EffectCall {
  return { key, attempt: 1, signal };
}

describe("a letter", () => {
  test("comes as plain text and as a page, under a name that its key gives it, and with nothing of the input at large", async () => {
    await using server = await startMailServer();
    await using mailer = await mailerTo(server.port);
    expect(await mailer.send(mail, call())).toEqual({ kind: "done", value: null });
    const [letter] = server.taken;
    expect(letter).toMatchObject({
      messageId: "<k3Y_-x@mugs.example>",
      subject: mail.subject,
      from: { name: "Mugs & More", address: "shop@mugs.example" },
      to: [{ address: "ann@example.org" }],
      envelope: { from: "shop@mugs.example", to: ["ann@example.org"] },
    });
    expect(letter!.text!.trim()).toBe(mail.text);
    expect(letter!.html).toContain("Ann &amp; &lt;b&gt;Bob&lt;/b&gt;");
    expect(letter!.html).not.toContain("<b>");
    expect(headerOf(letter!, "content-type")).toMatch(/^multipart\/alternative/);
    expect(headerOf(letter!, "x-waybill-order")).toBe("o-1");
    expect(headerOf(letter!, "auto-submitted")).toBe("auto-generated");
  });

  test("that is sent again has the same name, so that its reader can tell", async () => {
    await using server = await startMailServer();
    await using mailer = await mailerTo(server.port);
    for (const key of ["one", "one", "two"]) await mailer.send(mail, call(key));
    expect(server.taken.map(({ messageId }) => messageId)).toEqual([
      "<one@mugs.example>",
      "<one@mugs.example>",
      "<two@mugs.example>",
    ]);
    expect(server.connections()).toBe(1);
  });

  test("goes to one address, whatever that looks like", async () => {
    await using server = await startMailServer();
    await using mailer = await mailerTo(server.port);
    for (const to of ["a,b@example.org", "a;b@example.org", '"a b"@example.org']) {
      const came = await mailer.send({ ...mail, to }, call());
      expect(["done", "refused"]).toContain(came.kind);
    }
    for (const { envelope } of server.taken) expect(envelope.to).toHaveLength(1);
    expect(server.taken.flatMap(({ envelope }) => envelope.to)).not.toContain("b@example.org");
  });
});

describe("what a server answers", () => {
  const answering = (status: number, text: string) => ({ status, text });

  test.each([
    ["5xx to the recipient", "refused", { refuse: () => answering(550, "5.1.1 <ann@example.org> is unknown here") }],
    ["4xx to the recipient", "again", { refuse: () => answering(451, "4.7.1 come back later") }],
    ["5xx to the text", "refused", { verdict: (): Verdict => answering(554, "5.7.1 not wanted") }],
    ["4xx to the text", "again", { verdict: (): Verdict => answering(452, "4.3.1 the disk is full") }],
  ] as const)("%s: %s", async (_, kind, options) => {
    await using server = await startMailServer(options);
    await using mailer = await mailerTo(server.port);
    const came = await mailer.send(mail, call());
    expect(came.kind).toBe(kind);
    expect(JSON.stringify(came)).toMatch(/[45]\d\d/);
    expect(JSON.stringify(came)).not.toContain("ann@");
    expect(server.taken).toEqual([]);
  });

  test("5xx to the sender is a person's to mend, and no fault of the letter's", async () => {
    const onMailFrom = (_: unknown, __: unknown, done: (error: Error) => void) =>
      done(Object.assign(new Error("5.7.1 not from here"), { responseCode: 553 }));
    await using server = await startMailServer({ server: { onMailFrom } });
    await using mailer = await mailerTo(server.port);
    expect(await mailer.send(mail, call())).toMatchObject({ kind: "again", reason: expect.stringContaining("553") });
  });

  test("a connection that is lost behind the text leaves it unknown, and the next attempt may be the second", async () => {
    let isFirst = true;
    const verdict = (): Verdict => (isFirst ? ((isFirst = false), "take and hang up") : "take");
    await using server = await startMailServer({ verdict });
    await using mailer = await mailerTo(server.port);
    expect((await mailer.send(mail, call())).kind).toBe("unknown");
    expect((await mailer.send(mail, call())).kind).toBe("done");
    expect(server.taken.map(({ messageId }) => messageId)).toEqual(["<k3Y_-x@mugs.example>", "<k3Y_-x@mugs.example>"]);
  });
});

describe("a server that is not there", () => {
  test("is asked again later", async () => {
    const gone = await startMailServer();
    await gone[Symbol.asyncDispose]();
    await using mailer = await mailerTo(gone.port);
    expect(await mailer.send(mail, call())).toMatchObject({
      kind: "again",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("or that says nothing is left when the call's time is over", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    try {
      await using mailer = await mailerTo((silent.address() as AddressInfo).port);
      const limit = new AbortController();
      const sending = mailer.send(mail, call("k", limit.signal));
      await vi.waitUntil(() => sockets.size === 1);
      limit.abort(new Error("The call took too long."));
      expect((await sending).kind).toBe("unknown");
      const [socket] = sockets;
      await vi.waitUntil(() => socket!.destroyed || socket!.readableEnded || socket!.closed);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  test("for one letter is found again by the next, over a new connection", async () => {
    await using mailer = await (async () => {
      await using first = await startMailServer();
      const mailer = await mailerTo(first.port);
      expect((await mailer.send(mail, call("one"))).kind).toBe("done");
      return Object.assign(mailer, { port: first.port });
    })();
    await using second = await startMailServer({}, mailer.port);
    expect((await mailer.send(mail, call("two"))).kind).toBe("done");
    expect(second.taken).toHaveLength(1);
  });
});

describe("TLS and logging in", () => {
  const onAuth: NonNullable<Parameters<typeof startMailServer>[0]>["server"] = {
    disabledCommands: [],
    onAuth: ({ username, password }, _session, done) =>
      username === "shop" && password === "hush" ? done(null, { user: username }) : done(new Error("no such user")),
  };

  test("is asked for before a word is said, and the certificate must hold", async () => {
    await using server = await startMailServer({ server: { ...onAuth, ...withCertificate } });
    const login = { user: "shop", password: "hush", tls: "required", url: `smtp://localhost:${server.port}` } as const;
    await using stranger = await mailerTo(login);
    expect((await stranger.send(mail, call())).kind).toBe("again");
    expect(server.taken).toEqual([]);
    await using mailer = await mailerTo({ ...login, caFile: certificateFile });
    expect(await mailer.send(mail, call())).toEqual({ kind: "done", value: null });
    expect(server.taken[0]).toMatchObject({ secure: true, user: "shop" });
  });

  test("may begin with the first byte", async () => {
    await using server = await startMailServer({ server: { ...withCertificate, secure: true } });
    await using mailer = await mailerTo({
      url: `smtps://localhost:${server.port}`,
      tls: "required",
      caFile: certificateFile,
    });
    expect((await mailer.send(mail, call())).kind).toBe("done");
    expect(server.taken[0]!.secure).toBe(true);
  });

  test("a server that does not speak TLS gets nothing", async () => {
    await using server = await startMailServer();
    await using mailer = await mailerTo({ url: `smtp://127.0.0.1:${server.port}`, tls: "required" });
    expect((await mailer.send(mail, call())).kind).toBe("again");
    expect(server.taken).toEqual([]);
  });

  test("a wrong password is told without the password, and is no fault of the letter's", async () => {
    await using server = await startMailServer({
      server: { ...onAuth, disabledCommands: ["STARTTLS"], allowInsecureAuth: true },
    });
    await using mailer = await mailerTo({ url: `smtp://shop:s3same@127.0.0.1:${server.port}` });
    const came = await mailer.send(mail, call());
    expect(came.kind).toBe("again");
    expect(JSON.stringify(came)).not.toContain("s3same");
    expect(server.taken).toEqual([]);
  });
});
