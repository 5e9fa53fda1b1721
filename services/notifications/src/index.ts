export { mailEffects, sendMail, type Mail, type Mailer, type MailKind } from "./mail.ts";
export { letterId, type Mails, type Undelivered } from "./rules.ts";
export { mails, notifications, undelivered } from "./service.ts";
