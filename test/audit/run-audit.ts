import { execFile } from "node:child_process";
import type { AuditReport, SentFix } from "@waybill/auditor";
import { root } from "../boundaries/files.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `waybill audit` as a user does. */
export function waybillAudit(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile("npx", ["waybill", "audit", ...args], { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** The report as a script reads it. */
export async function reportOf(...args: readonly string[]) {
  const { stdout, code } = await waybillAudit("--json", ...args);
  return { code, ...(JSON.parse(stdout) as AuditReport & { readonly fixes?: readonly SentFix[] }) };
}
