import { adviceOf, kept, lost, mostly, timeText, type Survival, type Worth } from "./worth.ts";

/** The settings of a topic that decide, where its producer waits for all replicas that are in sync. */
export interface KafkaFacts {
  readonly replicas: number;
  readonly minInSync: number;
  readonly uncleanElection: boolean;
  /** After how many messages a broker writes through; undefined: whenever its system does. */
  readonly flushMessages: number | undefined;
  readonly flushMs: number | undefined;
}

/** What an acknowledgement of Apache Kafka is worth. */
export function worthOfKafka(facts: KafkaFacts): Worth {
  const { replicas, minInSync, uncleanElection, flushMessages } = facts;
  const isFlushed = flushMessages === 1;
  const survives: Worth["survives"] = {
    process: afterElection(facts, kept("the broker's system has it, and writes it")),
    machine: afterElection(facts, isFlushed ? flushed : onOthers(facts, unflushed(facts))),
    disk: afterElection(facts, onOthers(facts, "one broker has it")),
    site: afterElection(facts, isFlushed ? flushed : lost(unflushed(facts))),
  };
  const advice = adviceOf(
    [replicas < 2, "Have three brokers keep it: replicas 3, in different racks or zones (`broker.rack`)."],
    [replicas === 2, "Have three replicas: with two, nothing can be stored while one of them is away."],
    [replicas > 1 && minInSync < 2, "Have two brokers confirm: `min.insync.replicas=2`."],
    [
      replicas > 1 && uncleanElection,
      "Let no broker lead that lacks messages: `unclean.leader.election.enable=false`.",
    ],
    [
      !isFlushed,
      "Have brokers write through before they confirm: `flush.messages=1`, at the cost of a write to the disk for each batch.",
    ],
  );
  return { survives, advice };
}

const flushed = kept("it is on the disk before it is confirmed (flush.messages=1)");

function unflushed({ flushMs }: KafkaFacts): string {
  if (flushMs !== undefined) return `up to ${timeText(flushMs)} are not on the disk (flush.ms)`;
  return "the last messages, those that the system had not yet written through by itself";
}

/** What other brokers make of it. */
function onOthers({ replicas, minInSync }: KafkaFacts, without: string): Survival {
  if (replicas < 2) return lost(without);
  const certain = Math.min(minInSync, replicas);
  if (certain > 1) return kept(`${certain} brokers have it before it is confirmed`);
  return mostly("others have it, unless they were behind: one broker is enough to confirm (min.insync.replicas=1)");
}

/** A broker that lacks messages may not become leader, else nothing is certain. */
function afterElection({ replicas, uncleanElection }: KafkaFacts, survival: Survival): Survival {
  if (!uncleanElection || replicas < 2 || survival.kept !== "kept") return survival;
  return mostly("a broker that lacks it may become leader (unclean.leader.election.enable)");
}
