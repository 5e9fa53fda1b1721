import type { Mutant } from "../mutants/mutant.ts";

/** Servers to compare the real one with: the same sources, with an edit made while they are loaded. */
export const variants: readonly Mutant[] = [
  {
    name: "answers-without-storing",
    bug: "an order is read, checked and answered with 202, and nothing is stored or looked up",
    edits: [
      {
        file: "apps/server/src/http/orders.ts",
        find: "    let known = key === undefined ? undefined : await orderOf(orderId);\n    if (known === undefined) {",
        replace:
          '    return answer(reply, 202, { orderId, status: "accepted" }, { location: pathOf(orderId) });\n' +
          "    let known: Order | undefined;\n    if (known === undefined) {",
      },
    ],
  },
  {
    name: "without-traces",
    bug: "no line that has to do with OpenTelemetry runs, and none of its modules is loaded",
    edits: [
      {
        file: "apps/server/src/http/app.ts",
        find: 'import { followRequests } from "./trace.ts";\n',
        replace: "",
      },
      { file: "apps/server/src/http/app.ts", find: "  followRequests(app, parts.meter.traces);\n", replace: "" },
      {
        file: "apps/server/src/work.ts",
        find: 'import { tracesEndpoint, tracesTo } from "./metrics/traces.ts";\n',
        replace: "",
      },
      {
        file: "apps/server/src/work.ts",
        find: "  const collector = tracesEndpoint(process.env);\n  const traces = collector === undefined ? undefined : open.use(await tracesTo(collector));\n",
        replace: "  const traces = undefined;\n",
      },
      {
        file: "apps/server/src/metrics/meter.ts",
        find: 'import { tracedCommit, type Traces } from "./traces.ts";\n',
        replace: "",
      },
      {
        file: "apps/server/src/metrics/meter.ts",
        find: "withCommit(of, traces === undefined ? counted : tracedCommit(traces, counted))",
        replace: "withCommit(of, counted)",
      },
      {
        file: "apps/server/src/metrics/meter.ts",
        find: "traces?.publisher(of) ?? of",
        replace: "of",
      },
      {
        file: "apps/server/src/metrics/meter.ts",
        find: "traces?.call(bare, name) ?? bare",
        replace: "bare",
      },
    ],
  },
];
