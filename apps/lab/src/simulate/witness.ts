import { allMessages } from "@waybill/contracts";
import { service, state, when, type Service } from "@waybill/messaging";

/** By topic and entity: the ids of all messages about it, in the order in which they were handled. */
export const seen = state<readonly string[]>("seen");

/** A service that reads all that the others say and writes it down: what it has is what arrives. */
export function witness(): Service {
  const on = allMessages
    .filter(({ topic }) => !topic.door)
    .map((type) =>
      when(
        type,
        (body: unknown) => [seen(`${type.topic.name} ${type.subject(body)}`)],
        (_, [held], out) => out.save(held, [...(held.value ?? []), out.input.id]),
      ),
    );
  return service("witness", { on });
}
