import type { Mailer } from "@waybill/notifications";
import type { MailConfig } from "../config/mail.ts";
import { mailFolder } from "./folder.ts";
import { smtpMailer } from "./smtp.ts";

/** Whoever carries letters away: the server that the configuration names, or a folder of this machine. */
export async function openMailer(
  server: MailConfig | undefined,
  folder: string,
  open: AsyncDisposableStack,
): Promise<Mailer> {
  return server === undefined ? mailFolder(folder) : open.use(await smtpMailer(server));
}
