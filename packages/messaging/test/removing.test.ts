import { command, service, state, topic, when } from "@waybill/messaging";
import { specification } from "@waybill/messaging/specification";
import { type } from "arktype";
import { expect, test } from "vitest";

const asked = command("lamp.switch", {
  topic: topic("lamps-in", { door: true }),
  schema: type({ lamp: "string", on: "boolean" }),
  subject: (m) => m.lamp,
  samples: [{ lamp: "hall", on: true }],
});

const lit = state<{ readonly times: number }>("lit");

const lamps = service("lamps", {
  on: [
    when(
      asked,
      (m) => [lit(m.lamp)],
      ({ on }, [held], out) => {
        if (on) out.save(held, { times: (held.value?.times ?? 0) + 1 });
        else out.remove(held);
      },
    ),
  ],
});

test("given a state, when a rule removes it, then there is none, and the next rule begins anew", () => {
  const spec = specification(lamps);
  const turn = (on: boolean) => spec.when(asked, { lamp: "hall", on });
  turn(true);
  turn(true);
  expect(spec.state(lit("hall"))).toEqual({ times: 2 });
  turn(false);
  expect(spec.state(lit("hall"))).toBeUndefined();
  turn(false);
  turn(true);
  expect(spec.state(lit("hall"))).toEqual({ times: 1 });
});
