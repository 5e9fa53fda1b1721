import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { noFaults, type Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { Operate, Reply } from "./operate.ts";
import type { Payment } from "./payment.ts";
import { fieldProblem, Problem } from "./problem.ts";
import { schemas } from "./schemas.ts";
import { testTokens } from "./tokens.ts";
import { viewsOf } from "./views.ts";

export interface RouteOptions {
  readonly ledger: Ledger;
  readonly operate: Operate;
  readonly getFaults: () => Faults;
  readonly setFaults: (faults: Faults) => void;
  /** Closes the door for a while, once the answer is out. */
  readonly refuseConnections: (forMs: number) => void;
  /** Keeps a connection open without an answer until the caller or the gateway ends it. */
  readonly keepSilent: (reply: FastifyReply) => void;
}

interface Headers {
  readonly "idempotency-key": string;
}
interface AuthoriseBody {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly token: string;
}
interface FollowBody {
  readonly reference?: string;
  readonly amount?: number;
  readonly currency?: string;
}

const ledgerChunk = 500;

/** All routes of the gateway's API. */
export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  addOperations(app, options);
  addLookUps(app, options);
  addLedger(app, options);
  addFaults(app, options);
}

function addOperations(app: FastifyInstance, { ledger, operate, keepSilent }: RouteOptions): void {
  const views = viewsOf(ledger.id);

  function send(reply: FastifyReply, answer: Reply, status: number): FastifyReply {
    if (answer === "silence" || answer === "cut") return withhold(reply, answer, keepSilent);
    const operation = views.operation(answer);
    if (answer.result === "approved") return reply.code(status).send(operation);
    const reason = answer.reason ?? "refused";
    throw new Problem(402, reason, `The ${answer.kind} was refused: ${reason}.`, { operation });
  }

  app.post<{ Headers: Headers; Body: AuthoriseBody }>(
    "/payments",
    { schema: schemas.authorise },
    async (request, reply) => {
      const { token } = request.body;
      if (!Object.hasOwn(testTokens, token)) {
        throw fieldProblem(422, "token_unknown", "token", `is not one of ${Object.keys(testTokens).join(", ")}`);
      }
      const key = request.headers["idempotency-key"];
      return send(reply, await operate.perform({ ...request.body, kind: "authorise", key }, token), 201);
    },
  );

  for (const kind of ["capture", "void", "refund"] as const) {
    const schema = kind === "void" ? schemas.void : schemas.captureOrRefund;
    app.post<{ Headers: Headers; Body: FollowBody | null; Params: { id: string } }>(
      `/payments/:id/${kind}`,
      { schema },
      async (request, reply) => {
        const payment = knownPayment(ledger, request.params.id);
        const { reference = payment.reference, amount, currency } = request.body ?? {};
        if (reference !== payment.reference) {
          throw fieldProblem(
            422,
            "reference_mismatch",
            "reference",
            "is not that of this payment: check the payment's id",
          );
        }
        const key = request.headers["idempotency-key"];
        const asked = { kind, key, payment: payment.n, amount, currency };
        return send(reply, await operate.perform(asked, payment.token), 200);
      },
    );
  }
}

function withhold(reply: FastifyReply, how: "silence" | "cut", keepSilent: RouteOptions["keepSilent"]): FastifyReply {
  reply.hijack();
  if (how === "silence") keepSilent(reply);
  else reply.raw.socket?.destroy();
  return reply;
}

function knownPayment(ledger: Ledger, id: string): Payment {
  const n = viewsOf(ledger.id).paymentNumber(id);
  const payment = n === undefined ? undefined : ledger.payment(n);
  if (payment === undefined) throw fieldProblem(404, "payment_unknown", "id", "is not a payment of this gateway");
  return payment;
}

function addLookUps(app: FastifyInstance, { ledger, operate }: RouteOptions): void {
  const views = viewsOf(ledger.id);

  app.get<{ Querystring: { key: string } }>("/operations", { schema: schemas.byKey }, async (request) => {
    const operation = await operate.find(request.query.key);
    if (operation === undefined)
      throw fieldProblem(404, "operation_unknown", "key", "was never used with this gateway");
    return views.operation(operation);
  });

  app.get<{ Params: { id: string } }>("/payments/:id", async (request) =>
    views.payment(knownPayment(ledger, request.params.id)),
  );

  app.get<{ Querystring: { reference: string } }>("/payments", { schema: schemas.byReference }, async (request) => ({
    payments: ledger.payments(request.query.reference).map((payment) => views.payment(payment)),
  }));
}

function addLedger(app: FastifyInstance, { ledger }: RouteOptions): void {
  const views = viewsOf(ledger.id);

  /** Reads a chunk at a time, and the next only when the reader has taken the last. */
  function* lines(after: number, limit: number): Generator<string> {
    let left = limit;
    for (let last = after; left > 0;) {
      const chunk = ledger.operations(last, Math.min(left, ledgerChunk));
      if (chunk.length === 0) return;
      yield chunk
        .map(({ reference, ...row }) => `${JSON.stringify({ n: row.n, ...views.operation(row), reference })}\n`)
        .join("");
      last = chunk.at(-1)?.n ?? last;
      left -= chunk.length;
    }
  }

  app.get<{ Querystring: { after?: string; limit?: string } }>(
    "/ledger",
    { schema: schemas.ledger },
    async (request, reply) => {
      const { after = "0", limit } = request.query;
      const read = lines(Number(after), limit === undefined ? Number.POSITIVE_INFINITY : Number(limit));
      return reply.type("application/x-ndjson").send(Readable.from(read));
    },
  );

  app.get("/totals", async () => ledger.totals());
  app.get("/audit", async () => ({ findings: ledger.audit() }));
}

function addFaults(app: FastifyInstance, { getFaults, setFaults, refuseConnections }: RouteOptions): void {
  app.get("/faults", async () => getFaults());

  app.put<{ Body: Partial<Faults> & { refuseConnectionsMs?: number } }>(
    "/faults",
    { schema: schemas.faults },
    async (request, reply) => {
      const { refuseConnectionsMs = 0, ...given } = request.body;
      setFaults({ ...noFaults, ...given });
      if (refuseConnectionsMs > 0) {
        reply.raw.once("finish", () => setImmediate(() => refuseConnections(refuseConnectionsMs)));
      }
      return getFaults();
    },
  );
}
