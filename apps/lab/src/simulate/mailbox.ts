import type { EffectCall, Outcome, TryAgain } from "@waybill/messaging";
import type { Mail, Mailer } from "@waybill/notifications";
import type { Network, SimulatedProcess } from "@waybill/simulator";

const keyTtlMs = 86_400_000;

/** Where letters arrive, each as often as it was sent; with a provider that knows keys, once. */
export class Mailbox {
  readonly letters: { readonly orderId: string; readonly kind: Mail["kind"] }[] = [];
  readonly options: { readonly keyTtlMs?: number };
  isDown = false;
  readonly #keys = new Set<string>();
  readonly #network: Network;

  constructor(network: Network, hasKeys: boolean) {
    this.#network = network;
    this.options = hasKeys ? { keyTtlMs } : {};
  }

  mailer(process: SimulatedProcess): Mailer {
    return { send: (mail, call) => this.#network.call(process, "effect", () => this.#take(mail, call)) };
  }

  #take({ orderId, kind }: Mail, { key, attempt }: EffectCall): Outcome<null> | TryAgain {
    if (this.isDown && attempt % 2 === 1) return { kind: "again", reason: "the provider is down" };
    const isRepeat = this.options.keyTtlMs !== undefined && this.#keys.has(key);
    this.#keys.add(key);
    if (!isRepeat) this.letters.push({ orderId, kind });
    if (this.isDown) throw new Error("The provider hung up.");
    return { kind: "done", value: null };
  }
}
