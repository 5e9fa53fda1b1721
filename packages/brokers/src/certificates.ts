import { execFile } from "node:child_process";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Certificates } from "./server.ts";
import type { Identity } from "./user.ts";

const run = promisify(execFile);

/** A certificate authority of its own, and certificates that it signed for a server on 127.0.0.1 and for a client. */
export async function makeCertificates(folder: string, owner?: Identity): Promise<Certificates> {
  mkdirSync(folder, { recursive: true });
  const path = (name: string) => join(folder, name);
  const certificates = {
    ca: path("ca.pem"),
    serverCertificate: path("server.pem"),
    serverKey: path("server.key"),
    clientCertificate: path("client.pem"),
    clientKey: path("client.key"),
  };
  const authority = { certificate: certificates.ca, key: path("ca.key") };
  await make(authority.certificate, authority.key, "/CN=Waybill tests", ["-addext", "keyUsage=critical,keyCertSign"]);
  const names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const signed = ["-CA", authority.certificate, "-CAkey", authority.key];
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
  await make(certificates.serverCertificate, certificates.serverKey, "/CN=localhost", [...names, ...leaf, ...signed]);
  await make(certificates.clientCertificate, certificates.clientKey, "/CN=waybill", [...leaf, ...signed]);
  if (owner !== undefined) for (const file of Object.values(certificates)) chownSync(file, owner.uid, owner.gid);
  return certificates;
}

async function make(certificate: string, key: string, subject: string, more: readonly string[]): Promise<void> {
  // Written first so that the key is never readable by others: openssl keeps the mode of a file that is there.
  writeFileSync(key, "", { mode: 0o600 });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const files = ["-keyout", key, "-out", certificate];
  await run("openssl", ["req", "-x509", ...curve, ...files, "-days", "30", "-subj", subject, ...more]);
}
