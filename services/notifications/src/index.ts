export { mailEffects, sendMail, type Mail, type Mailer, type MailKind } from "./mail.ts";
export type { Mails } from "./rules.ts";
export { mails, notifications } from "./service.ts";
