import { parkedDiscard, parkedRedrive, text } from "@waybill/contracts";
import { check, rehearse, type ParkedInput, type ParkedKey, type Service } from "@waybill/messaging";
import { type } from "arktype";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { partitions } from "../engine.ts";
import { behind, inOrder, inputView, keyView, parkedGroups, placeOf } from "../parked/groups.ts";
import { redrive } from "../parked/redrive.ts";
import { shopContract } from "../services.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import { discarding, inputsReading, keysReading, parkedReading, redriving } from "./parked-api.ts";
import { inputsQuery, keysQuery, redriveBody } from "./parked-shapes.ts";
import { fieldsInvalid, Problem } from "./problem.ts";

const limitDefault = 100;
/** How long a redrive waits for what comes of it, in milliseconds. */
const waitMs = 5_000;
/** The most inputs that one key holds. */
const inputsMax = 2_048;

const discardBody = type({ "+": "reject", reason: text });

type OfService = { Params: { service: string } };
type OfKey = { Params: { service: string; key: string } };
type OfInput = { Params: { service: string; key: string; seq: string } };

/** What is set aside: looked at, tried again, or given up. */
export function addParked(app: FastifyInstance, parts: HttpParts): void {
  const { engine, services, worker, world, door } = parts;
  const { messages: types } = shopContract(services);
  const { store } = engine;
  const byName = new Map(services.map((service) => [service.name, service]));

  app.get("/parked", { config: { api: parkedReading } }, async (_request, reply) =>
    answer(reply, 200, { groups: await parkedGroups(store, [...byName.keys()]) }),
  );

  app.get<OfService>("/parked/:service", { config: { api: keysReading } }, async (request, reply) => {
    const { service } = request.params;
    serviceOf(service);
    const { fingerprint, after, limit } = valueOf(keysQuery, request.query);
    const keys = behind(await keysOf(service, fingerprint), after);
    const page = keys.slice(0, Number(limit ?? limitDefault));
    const last = page.length < keys.length ? page.at(-1) : undefined;
    const query = new URLSearchParams(fingerprint === undefined ? {} : { fingerprint });
    if (limit !== undefined) query.set("limit", limit);
    if (last !== undefined) query.set("after", placeOf(last));
    const next = last && `/parked/${service}?${query.toString()}`;
    return answer(reply, 200, { keys: page.map(keyView), next });
  });

  app.get<OfKey>("/parked/:service/:key", { config: { api: inputsReading } }, async (request, reply) => {
    const { service, key } = request.params;
    const { after = "0" } = valueOf(inputsQuery, request.query);
    const parked = await keyOf(service, key);
    const rows = await store.parked(service, parked.partition, key, Number(after), limitDefault + 1);
    const inputs = rows.slice(0, limitDefault).map(inputView);
    const last = rows.length > limitDefault ? inputs.at(-1) : undefined;
    const next = last && `/parked/${service}/${encodeURIComponent(key)}?after=${last.seq}`;
    return answer(reply, 200, { ...keyView(parked), inputs, next });
  });

  app.post<OfService>("/parked/:service/redrive", { config: { api: redriving } }, async (request, reply) => {
    const { service: name } = request.params;
    const service = serviceOf(name);
    const wanted = valueOf(redriveBody, membersOf(request.body));
    const { key, fingerprint, dryRun = false, limit = limitDefault, after, body } = wanted;
    if ((key === undefined) === (fingerprint === undefined)) {
      throw fieldsInvalid([{ field: "key", reason: "give either a key or a fingerprint" }]);
    }
    if (body !== undefined && key === undefined) {
      throw fieldsInvalid([{ field: "body", reason: "is for one key only; name it" }]);
    }
    const all = key === undefined ? behind(await keysOf(name, fingerprint), after) : [await keyOf(name, key)];
    const keys = all.slice(0, limit);
    const edited = body === undefined ? undefined : JSON.stringify(await editedBody(name, keys[0]!, body));
    const next = keys.length < all.length ? placeOf(keys.at(-1)!) : undefined;
    if (dryRun) return answer(reply, 200, { dryRun, results: await rehearseAll(service, keys, edited), next });
    const by = request.caller?.id ?? "local";
    const of = key === undefined ? { fingerprint: fingerprint! } : { key };
    if (keys.length > 0) {
      const told = { service: name, by, ...of, edited: edited !== undefined, keys: keys.length };
      await door.publish(parkedRedrive, told);
    }
    const results = await redrive({ store, worker, world }, { service: name, keys, body: edited, waitMs });
    return answer(reply, 200, { dryRun, results, next });
  });

  app.post<OfInput>("/parked/:service/:key/:seq/discard", { config: { api: discarding } }, async (request, reply) => {
    const { service, key } = request.params;
    const { reason } = valueOf(discardBody, membersOf(request.body));
    const parked = await keyOf(service, key);
    const rows = await store.parked(service, parked.partition, key, 0, inputsMax);
    const row = rows.find(({ seq }) => String(seq) === request.params.seq);
    if (row === undefined) throw new Problem("not-found", `${key} holds no input ${request.params.seq}.`);
    // The book is written first: what is given up is never gone without a word.
    await door.publish(parkedDiscard, recordOf(request, { service, parked, row, reason }));
    if (!(await worker.discard(service, key, row.seq))) throw elsewhere(service, key);
    return answer(reply, 200, { discarded: inputView(row), left: rows.length - 1 });
  });

  function serviceOf(name: string): Service {
    const service = byName.get(name);
    if (service !== undefined) return service;
    throw new Problem("not-found", `There is no service ${name}; there are ${[...byName.keys()].join(", ")}.`);
  }

  async function keysOf(service: string, fingerprint: string | undefined): Promise<readonly ParkedKey[]> {
    const keys = inOrder(await store.parkedKeys(service));
    return fingerprint === undefined ? keys : keys.filter((one) => one.fingerprint === fingerprint);
  }

  async function keyOf(service: string, key: string): Promise<ParkedKey> {
    serviceOf(service);
    const found = (await store.parkedKeys(service)).find((one) => one.key === key);
    if (found !== undefined) return found;
    throw new Problem("not-found", `Nothing is parked under ${key} in ${service}.`);
  }

  /** Another body for a key's first input, held against the schema that it must fit. */
  async function editedBody(service: string, { partition, key }: ParkedKey, body: unknown): Promise<unknown> {
    const [first] = await store.parked(service, partition, key, 0, 1);
    const schema = first && JSON.parse(first.headers).schema;
    const known = types.find(({ name }) => name === first?.type);
    if (first?.kind !== "message" || known === undefined) {
      throw fieldsInvalid([{ field: "body", reason: "can be given for a message that this build knows only" }]);
    }
    if (schema !== known.version) {
      const reason = `the input is of version ${schema} and would be lifted again; redrive it as it is`;
      throw fieldsInvalid([{ field: "body", reason }]);
    }
    const result = check(known.schema, body);
    if ("value" in result) return result.value;
    throw fieldsInvalid(
      result.issues.map(({ field, reason }) => ({ field: field === "" ? "body" : `body.${field}`, reason })),
    );
  }

  /** What the first input of each key would do. */
  async function rehearseAll(service: Service, keys: readonly ParkedKey[], body: string | undefined) {
    const results: unknown[] = [];
    for (const { key, partition } of keys) {
      const [input] = await store.parked(service.name, partition, key, 0, 1);
      if (input === undefined) continue;
      const would = await rehearse({ service, types, store, partitions, input, body });
      results.push({ key, type: input.type, id: input.id, would });
    }
    return results;
  }
}

/** What the book says of an input that is given up. */
function recordOf(
  { caller }: FastifyRequest<OfInput>,
  { service, parked, row, reason }: { service: string; parked: ParkedKey; row: ParkedInput; reason: string },
) {
  const { key, fingerprint } = parked;
  const { seq, id, type: name, origin } = row;
  return {
    service,
    by: caller?.id ?? "local",
    key,
    seq,
    reason,
    id: id.slice(0, 400),
    type: name.slice(0, 200),
    origin: origin.slice(0, 1_000),
    fingerprint: fingerprint.slice(0, 400),
  };
}

function elsewhere(service: string, key: string): Problem {
  const text = `The lane of ${service} that holds ${key} does not run in this process. Ask the one that GET /lanes names.`;
  return new Problem("parked-elsewhere", text);
}
