import type { Item, Line } from "./plan.ts";
import type { Result } from "./run.ts";

const linesMax = 24;

/** What happened, in words, for whoever has to understand it. */
export function story({ plan, errors, scene }: Result): string {
  const { setting } = plan;
  const told = [
    `The shop runs in ${setting.processes} processes, with ${setting.partitions} partitions and ${setting.lanes} lanes where a service may have several.`,
    setting.gateway === "find"
      ? "The gateway can be asked what it did."
      : `The gateway cannot be asked, and forgets keys after ${setting.keyTtlMs / 1_000} s.`,
    ...plan.items.map((item) => `${seconds(item.atMs)}  ${sentence(item)}  (${item.id})`),
    "What is wrong at the end:",
    ...errors.slice(0, 8).map((error) => `  - ${error}`),
    ...(errors.length > 8 ? [`  - and ${errors.length - 8} more`] : []),
    "What the processes said:",
    ...scene.lines.all
      .slice(0, linesMax)
      .map(({ atMs, process, text, facts }) => `${seconds(atMs)}  ${process}: ${text} ${factsText(facts)}`),
  ];
  return told.join("\n");
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3).padStart(9)} s`;
}

function factsText(facts: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string | undefined => {
    const fact = facts[name];
    return typeof fact === "string" || typeof fact === "number" ? `${fact}` : undefined;
  };
  const joined = (...names: string[]): string => names.flatMap((name) => text(name) ?? []).join("/");
  const parts = [joined("service", "lane"), joined("topic", "partition"), text("where"), text("code"), text("error")];
  return parts.filter(Boolean).join(" ").slice(0, 260);
}

type Of<Kind extends Item["kind"]> = Extract<Item, { readonly kind: Kind }>;

const s = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const goods = (lines: readonly Line[]): string => lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(", ");
const odds = (chances: object): string =>
  Object.entries(chances)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");

/** Each kind of thing that happens, as a sentence. */
const sentences: { readonly [Kind in Item["kind"]]: (item: Of<Kind>) => string } = {
  order: ({ orderId, lines, token, isForeign, againAfterMs }) =>
    `Somebody orders ${goods(lines)} as ${orderId} with ${token}${isForeign ? ", at another partition" : ""}${againAfterMs.length > 0 ? ", and again" : ""}.`,
  twist: ({ orderId, lines }) => `The same id ${orderId} comes with ${goods(lines)}.`,
  cancel: ({ orderId }) => `The customer cancels ${orderId}.`,
  price: ({ sku, price, active }) => `${sku} costs ${price}${active ? "" : " and is not sold"} from now on.`,
  adjust: ({ sku, quantity }) => `The shelf of ${sku} is counted: ${quantity}.`,
  crash: ({ process, awayMs }) => `p${process} is killed, and started again after ${s(awayMs)}.`,
  death: ({ process, when, after, call, awayMs }) =>
    `p${process} will die just ${when} its ${call} number ${after + 1} from now, for ${s(awayMs)}.`,
  outage: ({ ms }) => `All processes are killed, and started again after ${s(ms)}.`,
  pause: ({ process, ms }) => `p${process} stands still for ${s(ms)}.`,
  close: ({ process, awayMs }) => `p${process} is asked to end, and started again after ${s(awayMs)}.`,
  deploy: ({ process, level }) => `p${process} is replaced by a build of level ${level}.`,
  weather: ({ ms, chances }) => `For ${s(ms)} calls fail: ${odds(chances)}.`,
  gateway: ({ ms, chances }) => `For ${s(ms)} the gateway is in trouble: ${odds(chances)}.`,
  mail: ({ ms }) => `For ${s(ms)} the mail provider is down.`,
  down: ({ topic, ms }) => `For ${s(ms)} the topic ${topic} takes no messages.`,
  stall: ({ topic, ms }) => `For ${s(ms)} nothing comes of the topic ${topic}.`,
  lose: ({ topic, count, unreadMs }) =>
    `The broker loses the last ${count} messages of a partition of ${topic}, which nobody had read for ${s(unreadMs)}.`,
  recreate: ({ topic }) => `The topic ${topic} is deleted and made anew.`,
  rewind: ({ service, ms }) => `The tables of ${service} are saved, and put back ${s(ms)} later.`,
  wipe: ({ service }) => `The tables of ${service} are lost, and all processes start anew.`,
  redrive: ({ service }) => `An operator tries again what ${service} has set aside.`,
  clock: ({ byMs }) => `The database's clock jumps by ${s(byMs)}.`,
};

function sentence(item: Item): string {
  return (sentences[item.kind] as (item: Item) => string)(item);
}
