import { letterResolve, orderCancelled, orderConfirmed, orderRefunded, orderShipped } from "@waybill/contracts";
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
  letterAgain,
  letterId,
  lostLetter,
  notDelivered,
  notFailed,
  refundedMail,
  shippedMail,
  written,
  type Mails,
  type Undelivered,
} from "./rules.ts";

/** By the order's id. */
export const mails = state<Mails>("mails");

/** Letters that did not go out, until a person has dealt with them, in order of their orders' ids: few, so that they can be listed without a look at all orders. */
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
        // Nearly every letter goes out, and changes nothing: then no state is looked up.
        ({ input, outcome }) => (outcome.kind === "done" ? [] : [mails(input.orderId), undelivered(letterId(input))]),
        ({ input, outcome }, [held, lost], out) => {
          if (outcome.kind === "done" || held === undefined || lost === undefined) return;
          out.save(held, notDelivered(held.value, input.kind, outcome));
          out.save(lost, lostLetter(input, outcome, out.nowMs));
        },
      ),
      when(
        letterResolve,
        (m) => [mails(m.orderId), undelivered(letterId({ orderId: m.orderId, kind: m.letter }))],
        ({ letter, outcome }, [held, lost], out) => {
          if (lost.value === undefined) return; // It was dealt with before.
          out.remove(lost);
          if (outcome.kind === "dismissed") return;
          if (held.value !== undefined) out.save(held, notFailed(held.value, letter));
          out.effect(sendMail, letterAgain(lost.value, outcome.to));
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
