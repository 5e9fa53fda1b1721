import type { Outcome } from "@waybill/messaging";
import type { AuthoriseRequest, PaymentRequest, Receipt } from "@waybill/payments";

/** What a gateway does with one call, and what it says of it. */
export type Behaviour = "done" | "refused" | "expired" | "done-unknown" | "lost-unknown";

interface Book {
  held: number;
  taken: number;
  back: number;
}

/**
 * The gateway's own truth, kept apart from ours: how much of each order's money it holds, took and gave back. It throws
 * when it is asked for what no gateway would do, so that a double charge cannot hide.
 */
export function gatewayLedger() {
  const books = new Map<string, Book>();
  const fates = new Map<string, "done" | "refused">();
  let operations = 0;

  const bookOf = (reference: string): Book => {
    const book = books.get(reference) ?? { held: 0, taken: 0, back: 0 };
    books.set(reference, book);
    return book;
  };

  const apply = (name: string, { reference, amount }: AuthoriseRequest | PaymentRequest): void => {
    const book = bookOf(reference);
    if (name === "payment.authorise") {
      if (book.held > 0 || book.taken > 0) throw new Error(`${reference} is authorised twice.`);
      book.held += amount.minor;
    } else if (name === "payment.refund") {
      book.back += amount.minor;
      if (book.back > book.taken) throw new Error(`${reference} gets back more than was taken.`);
    } else {
      if (book.held < amount.minor) throw new Error(`${name} of ${reference} finds nothing that is held.`);
      book.held -= amount.minor;
      if (name === "payment.capture") book.taken += amount.minor;
    }
  };

  const receipt = (reference: string): Receipt => ({
    paymentId: `pay-${reference}`,
    operationId: `op-${operations++}`,
  });

  return {
    books,
    /** Runs one call. An expired authorisation is one that the gateway has let go by itself. */
    call(name: string, input: AuthoriseRequest | PaymentRequest, behaviour: Behaviour): Outcome<Receipt> {
      const does = behaviour === "done" || behaviour === "done-unknown";
      if (does) apply(name, input);
      if (behaviour === "expired") bookOf(input.reference).held = 0;
      fates.set(`${input.reference} ${name}`, does ? "done" : "refused");
      if (behaviour === "done") return { kind: "done", value: receipt(input.reference) };
      if (behaviour === "refused") return { kind: "refused", reason: "card_declined" };
      if (behaviour === "expired") return { kind: "refused", reason: "authorisation_expired" };
      return { kind: "unknown", reason: "nobody can tell" };
    },
    /**
     * What a person finds out who asks, and does who can: money that could not be taken or given back by a call is taken
     * or given back by hand, and the answer is yes. An authorisation that never was stays none.
     */
    truth(name: string, reference: string, minor: number): "done" | "refused" {
      const fate = fates.get(`${reference} ${name}`) ?? "refused";
      if (fate === "done" || name === "payment.authorise") return fate;
      const book = bookOf(reference);
      book.held = 0;
      if (name === "payment.capture") book.taken += minor;
      if (name === "payment.refund") book.back += minor;
      return "done";
    },
  };
}
