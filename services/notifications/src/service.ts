import { orderCancelled, orderConfirmed, orderRefunded, orderShipped } from "@waybill/contracts";
import {
  service,
  state,
  when,
  whenSettled,
  type Frozen,
  type MessageType,
  type Rule,
  type Service,
} from "@waybill/messaging";
import { sendMail, type Mail } from "./mail.ts";
import {
  cancelledMail,
  confirmedMail,
  delivered,
  letterId,
  notDelivered,
  refundedMail,
  shippedMail,
  written,
  type Mails,
  type Undelivered,
} from "./rules.ts";

/** By the order's id. */
export const mails = state<Mails>("mails");

/** Letters that will never go out, in order of their orders' ids: few, so that they can be listed without a look at all orders. */
export const undelivered = state<Undelivered>("undelivered");

/** Letters to customers: confirmed, shipped, cancelled, refunded. */
export function notifications(): Service {
  return service("notifications", {
    on: [
      tells(orderConfirmed, confirmedMail),
      tells(orderShipped, shippedMail),
      tells(orderCancelled, cancelledMail),
      tells(orderRefunded, refundedMail),
      whenSettled(
        sendMail,
        (r) => [mails(r.input.orderId), undelivered(letterId(r.input))],
        (r, [held, lost], out) => {
          const noted = delivered(held.value, r.input.kind, r.outcome);
          if (noted !== undefined) out.save(held, noted);
          const kept = notDelivered(r.input, r.outcome, out.nowMs);
          if (kept !== undefined) out.save(lost, kept);
        },
      ),
    ],
  });
}

function tells<B extends { readonly orderId: string }>(type: MessageType<B>, letter: (body: Frozen<B>) => Mail): Rule {
  return when(
    type,
    (m) => [mails((m as B).orderId)],
    (m, [held], out) => {
      const mail = letter(m);
      const noted = written(held.value, mail.kind);
      if (noted === undefined) return;
      out.save(held, noted);
      out.effect(sendMail, mail);
    },
  );
}
