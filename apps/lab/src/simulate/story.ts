import type { Item } from "./plan.ts";
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
  const { service, lane, code, error, topic, partition, where } = facts;
  const place = service === undefined ? [] : [`${String(service)}/${String(lane)}`];
  const log = topic === undefined ? [] : [`${String(topic)}${partition === undefined ? "" : `/${String(partition)}`}`];
  const rest = [where, code, error].filter((one) => one !== undefined).map(String);
  return [...place, ...log, ...rest].join(" ").slice(0, 260);
}

function sentence(item: Item): string {
  const process = "process" in item ? `p${item.process}` : "";
  const s = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const linesText = (lines: readonly { sku: string; quantity: number }[]): string =>
    lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(", ");
  const chancesText = (chances: object): string =>
    Object.entries(chances).map(([name, value]) => `${name} ${String(value)}`).join(", ");
  switch (item.kind) {
    case "order":
      return `Somebody orders ${linesText(item.lines)} as ${item.orderId} with ${item.token}${item.isForeign ? ", at another partition" : ""}${item.againAfterMs.length > 0 ? ", and again" : ""}.`;
    case "twist":
      return `The same id ${item.orderId} comes with ${linesText(item.lines)}.`;
    case "cancel":
      return `The customer cancels ${item.orderId}.`;
    case "price":
      return `${item.sku} costs ${item.price}${item.active ? "" : " and is not sold"} from now on.`;
    case "adjust":
      return `The shelf of ${item.sku} is counted: ${item.quantity}.`;
    case "crash":
      return `${process} is killed, and started again after ${s(item.awayMs)}.`;
    case "death":
      return `${process} will die just ${item.when} its ${item.after + 1}th ${item.call} from now, for ${s(item.awayMs)}.`;
    case "pause":
      return `${process} stands still for ${s(item.ms)}.`;
    case "close":
      return `${process} is asked to end, and started again after ${s(item.awayMs)}.`;
    case "deploy":
      return `${process} is replaced by a build of level ${item.level}.`;
    case "weather":
      return `For ${s(item.ms)} calls fail: ${chancesText(item.chances)}.`;
    case "gateway":
      return `For ${s(item.ms)} the gateway is in trouble: ${chancesText(item.chances)}.`;
    case "mail":
      return `For ${s(item.ms)} the mail provider is down.`;
    case "down":
      return `For ${s(item.ms)} the topic ${item.topic} takes no messages.`;
    case "stall":
      return `For ${s(item.ms)} nothing comes of the topic ${item.topic}.`;
    case "lose":
      return `The broker loses the last ${item.count} messages of a partition of ${item.topic}.`;
    case "recreate":
      return `The topic ${item.topic} is deleted and made anew.`;
    case "rewind":
      return `The tables of ${item.service} are saved, and put back ${s(item.ms)} later.`;
    case "clock":
      return `The database's clock jumps by ${s(item.byMs)}.`;
  }
}
