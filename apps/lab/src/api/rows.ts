import type { Api, Turn } from "../measures/api.ts";
import { ms, rate, type Row } from "../table.ts";

/** How many orders are accepted beside the same interface that stores nothing. */
const ratioMin = 0.35;
/** What OpenTelemetry may cost when nobody wants spans, as a part of an order's processor time. */
const tracesMax = 0.03;

/** What the HTTP interface showed, as rows of the bench's table. */
export function apiRows({ storing, keyed, bare, open, traces }: Api): Row[] {
  const ratio = median(storing.map((turn, at) => turn.acceptedPerSecond / bare[at]!.acceptedPerSecond));
  const cost = median(traces.map(({ off, without }) => off / without - 1));
  const accepted = (turns: readonly Turn[]): string => rate(median(turns.map((turn) => turn.acceptedPerSecond)));
  return [
    ["orders accepted over HTTP, 64 connections", accepted(storing), "", undefined],
    ["  the same Fastify answering 202, storing nothing", accepted(bare), "", undefined],
    ["  accepted ÷ answered, in turns", ratio.toFixed(2), `≥ ${ratioMin}`, ratio >= ratioMin],
    ["  accepted with an Idempotency-Key each", accepted(keyed), "", undefined],
    ["  cores of the server: storing / answering; of the clients", coresOf(storing, bare), "", undefined],
    ["  orders placed and done a second, until all were done", rate(median(storing.map(doneRate))), "", undefined],
    ["POST /orders at 1,000 orders/s, p50 / p99 from when each was due", ms(open.latencyMs), "report", undefined],
    ["  not accepted; all done after", `${refusedOf(open)}; ${open.drainedSeconds.toFixed(1)} s`, "", undefined],
    [
      "OpenTelemetry off ÷ not there, processor time an order",
      `${(cost * 100).toFixed(1)} % more`,
      "≤ 3 %",
      cost <= tracesMax,
    ],
  ];
}

function coresOf(storing: readonly Turn[], bare: readonly Turn[]): string {
  const server = [storing, bare].map((turns) => median(turns.map((turn) => turn.serverCores)).toFixed(2));
  const clients = Math.max(...[...storing, ...bare].map((turn) => turn.cores));
  return `${server.join(" / ")}; ≤ ${clients.toFixed(2)}`;
}

function doneRate({ orders, wholeSeconds, drainedSeconds }: Turn): number {
  return orders / (wholeSeconds + drainedSeconds);
}

function refusedOf({ statuses }: Turn): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => (status === "202" ? sum : sum + count), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
