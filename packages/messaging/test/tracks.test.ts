import { expect, test } from "vitest";
import { Tracks } from "../src/lane/tracks.ts";

const unread = { topic: "orders", partition: 0, logId: "", nextOffset: 0, marks: {} };

test("a position whose broker was away at the claim takes its log's id over from the first answer, also of an empty log", () => {
  const tracks = new Tracks([unread]);
  const moved: string[] = [];
  const work = { moved: (track: { logId: string }) => void moved.push(track.logId) };
  tracks.move([{ topic: "orders", partition: 0, logId: "log-1", nextOffset: 0 }], work);
  tracks.move([{ topic: "orders", partition: 0, logId: "log-1", nextOffset: 0 }], work);
  expect(moved).toEqual(["log-1"]);
  expect(tracks.get("orders", 0).row()).toMatchObject({ logId: "log-1", nextOffset: 0 });
});

test("a position does not go back", () => {
  const tracks = new Tracks([{ ...unread, logId: "log-1", nextOffset: 7 }]);
  tracks.move([{ topic: "orders", partition: 0, logId: "log-1", nextOffset: 5 }], {
    moved: () => expect.unreachable("it moved"),
  });
  expect(tracks.get("orders", 0).nextOffset).toBe(7);
});
