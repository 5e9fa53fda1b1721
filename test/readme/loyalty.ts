// The README shows this file from here on; the test beside it runs it.
import { type } from "arktype";
import { orderCompleted } from "@waybill/contracts";
import { event, service, state, topic, when } from "@waybill/messaging";

const pointsEarned = event("points.earned", {
  topic: topic("loyalty", { writers: ["loyalty"] }),
  schema: type({ customerId: "string", orderId: "string", points: "number.integer" }),
  subject: (m) => m.customerId,
  samples: [{ customerId: "ann", orderId: "1001", points: 15 }],
});

const account = state<{ points: number }>("account");

export const loyalty = service("loyalty", {
  lanesMax: 1, // A customer's orders share the account, so one lane owns all accounts.
  on: [
    when(
      orderCompleted,
      (m) => [account(m.customerId)],
      ({ customerId, orderId, total }, [held], out) => {
        const points = Math.floor(total / 100);
        out.save(held, { points: (held.value?.points ?? 0) + points });
        out.send(pointsEarned, { customerId, orderId, points });
      },
    ),
  ],
  sends: [pointsEarned],
});
