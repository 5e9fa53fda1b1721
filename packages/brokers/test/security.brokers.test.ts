import { once } from "node:events";
import { connect } from "node:tls";
import { Client } from "pg";
import { expect, test } from "vitest";
import { startKafka, startNats, startPgBouncer, startPostgres } from "@waybill/brokers";
import { kafkaNotes, loginTo, natsNotes, postgresNotes } from "./clients.ts";

const user = { name: "shop", password: "it's a 'secret' @ 5%" };

test("NATS lets in who has the password and a certificate", async () => {
  await using server = await startNats({ tls: "mutual", user });
  const login = loginTo(server, user.name, user.password);
  await using notes = await natsNotes(server.url, login);
  await notes.write("one");
  expect(await notes.count()).toBe(1);
  await expect(natsNotes(server.url, { ...login, password: "guessed" })).rejects.toThrow(/authorization/i);
  await expect(natsNotes(server.url)).rejects.toThrow(/certificate/i);
});

test("Kafka lets in who has the password and a certificate", async () => {
  const simple = { name: "shop", password: "secret-5" };
  await using server = await startKafka({ tls: "mutual", user: simple });
  const login = loginTo(server, simple.name, simple.password);
  for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
    await using notes = await kafkaNotes(server.url, login, mechanism);
    await notes.write(mechanism);
  }
  await using notes = await kafkaNotes(server.url, login, "SCRAM-SHA-512");
  expect(await notes.count()).toBe(2);
  const stranger = connect({ port: server.port, host: "127.0.0.1", ca: login.ca }).resume();
  await expect(once(stranger, "close")).rejects.toThrow(/certificate required|bad certificate|ECONNRESET/);
});

test("PostgreSQL lets in who has the password, by TLS only, also through PgBouncer", async () => {
  await using server = await startPostgres({ tls: true, password: user.password });
  const login = loginTo(server, "waybill", user.password);
  await using notes = await postgresNotes(server.url, login);
  await notes.write("one");
  expect(await notes.count()).toBe(1);
  await expect(postgresNotes(server.url)).rejects.toThrow(/no encryption/);
  const guessed = new URL(server.url);
  guessed.password = "guessed";
  await expect(postgresNotes(guessed.href, login)).rejects.toThrow(/password authentication failed/);
  await using pool = await startPgBouncer(server, { settings: { server_tls_sslmode: "require" } });
  await using pooled = await postgresNotes(pool.url);
  expect(await pooled.count()).toBe(1);
});

test("PgBouncer lends a connection for a transaction", async () => {
  await using server = await startPostgres();
  await using bouncer = await startPgBouncer(server, { settings: { default_pool_size: 1 } });
  const [one, other] = [new Client(bouncer.url), new Client(bouncer.url)];
  await Promise.all([one.connect(), other.connect()]);
  const backendOf = async (client: Client) => (await client.query("SELECT pg_backend_pid() AS pid")).rows[0];
  expect(await backendOf(other)).toEqual(await backendOf(one));
  await one.query("BEGIN");
  const waiting = backendOf(other);
  const held = await backendOf(one);
  await one.query("COMMIT");
  expect(await waiting).toEqual(held);
  await Promise.all([one.end(), other.end()]);
});
