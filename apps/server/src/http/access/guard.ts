import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isIP } from "node:net";
import { Problem } from "../problem.ts";
import type { Caller, Keys } from "./keys.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks; undefined when no key is needed. */
    caller: Caller | undefined;
  }
}

/** How many requests a minute one address may make without a key that is known. */
const strangersPerMinute = 60;
/** How many callers' counts are kept; the longest unheard goes first. */
const countedMax = 10_000;
const minuteMs = 60_000;
const told = { "x-ratelimit-limit": false, "x-ratelimit-remaining": false, "x-ratelimit-reset": false };
/** A caller hears of his limit when he has reached it. */
const silent = { addHeaders: { ...told, "retry-after": false }, addHeadersOnExceeding: told };

/**
 * Lets a request in if its key allows it: 401 without one, 403 when the key is for other things, 429 when there were too many.
 * While no key is needed only this machine can ask, and pages that its browser shows cannot.
 */
export async function addGuard(app: FastifyInstance, keys: Keys): Promise<void> {
  app.decorateRequest("caller", undefined);
  await app.register(rateLimit, { global: false, cache: countedMax, ...silent });
  const limit = app.rateLimit({
    timeWindow: minuteMs,
    keyGenerator: ({ caller, ip }) => (caller === undefined ? `address/${ip}` : `key/${caller.id}`),
    max: ({ caller }) => caller?.ratePerMinute ?? strangersPerMinute,
    allowList: ({ caller }) => caller !== undefined && caller.ratePerMinute === undefined,
    errorResponseBuilder: (_request, { max, ttl }) => tooMany(max, ttl),
  });
  app.addHook("onRequest", async function (request, reply) {
    const role = request.routeOptions.config.api?.role ?? "shop";
    if (!keys.isRequired()) return refuseStrangers(request);
    request.caller = keys.callerOf(request.headers.authorization);
    if (role === "anybody") return;
    await limit.call(app, request, reply);
    if (request.caller === undefined) throw unauthorized();
    if (role === "operator" && request.caller.role !== "operator") {
      throw new Problem("forbidden", "This takes a key of the role operator.");
    }
  });
}

function tooMany(max: number, ttlMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(ttlMs / 1_000));
  return new Problem("too-many-requests", `More than ${max} requests in a minute; go on in ${seconds} s.`, {
    headers: { "retry-after": String(seconds) },
  });
}

function unauthorized(): Problem {
  return new Problem("unauthorized", "Send a key of this server as: Authorization: Bearer wb_…", {
    headers: { "www-authenticate": 'Bearer realm="waybill"' },
  });
}

/**
 * Without keys whoever reaches the server may do everything, and a browser on this machine reaches it for every page that it
 * shows. Such a request names the page's own host, or comes from another origin.
 */
function refuseStrangers({ headers, method }: FastifyRequest): void {
  const { host = "", origin } = headers;
  if (!isLoopback(hostOf(host))) {
    throw new Problem("forbidden", `Without keys this server answers as localhost only, not as ${hostOf(host)}.`);
  }
  const isSafe = method === "GET" || method === "HEAD";
  if (!isSafe && origin !== undefined && origin !== `http://${host}`) {
    throw new Problem("forbidden", "Without keys this server takes nothing from pages of other origins.");
  }
}

function hostOf(header: string): string {
  return header
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .slice(0, 100);
}

/** Whether an address or name can only be this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

/** Refuses what concerns another customer than the one of the caller's key. */
export function ownOnly({ caller }: FastifyRequest, customer: string): void {
  if (caller?.customer === undefined || caller.customer === customer) return;
  throw new Problem("forbidden", "This key is for the orders of another customer.");
}

/** Whether the caller may see what is this customer's. */
export function maySee({ caller }: FastifyRequest, customer: string): boolean {
  return caller?.customer === undefined || caller.customer === customer;
}
