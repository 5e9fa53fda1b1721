import { command, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { email, id } from "./fields.ts";
import { topics } from "./topics.ts";

/** What a letter to a customer tells of his order. */
export const letterKind = type("'confirmed' | 'shipped' | 'cancelled' | 'refunded'");

const again = type({ "+": "reject", kind: "'again'", "to?": email });
const dismissed = type({ "+": "reject", kind: "'dismissed'" });
const resolveSchema = type({ "+": "reject", orderId: id, letter: letterKind, outcome: again.or(dismissed) });

/** What shall become of a letter that did not go out: it goes out again, perhaps to another address, or is dealt with otherwise. */
export type LetterResolve = Frozen<typeof resolveSchema.infer>;

export const letterResolve = command<LetterResolve>("letter.resolve", {
  topic: topics.lettersIn,
  schema: resolveSchema,
  subject: (body) => body.orderId,
  samples: [
    {
      orderId: "0198c2a4-5f00-7000-8000-000000000001",
      letter: "shipped",
      outcome: { kind: "again", to: "ann@example.org" },
    },
    { orderId: "0198c2a4-5f00-7000-8000-000000000001", letter: "confirmed", outcome: { kind: "dismissed" } },
  ],
});
