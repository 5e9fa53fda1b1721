import { productChanged, productPut } from "@waybill/contracts";
import { service, state, when, type Service } from "@waybill/messaging";
import { put, type Product } from "./rules.ts";

export const product = state<Product>("product");

/** What the shop sells, at which price. Every change is an event, and a put that changes nothing is none. */
export function catalogue(): Service {
  return service("catalogue", {
    lanesMax: 1,
    on: [
      when(
        productPut,
        (m) => [product(m.sku)],
        (m, [held], out) => {
          const decision = put(held.value, m);
          if (decision === undefined) return;
          out.save(held, decision.product);
          out.send(decision.say.type, decision.say.body);
        },
      ),
    ],
    sends: [productChanged],
  });
}
