import { bodyText, type StoredMessage } from "@waybill/messaging";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bookBorrow, bookReturn } from "../src/contracts.ts";
import { openLibrary, type Library } from "../src/library.ts";
import { termMs } from "../src/lending.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "library-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const bodyOf = ({ body }: StoredMessage) => JSON.parse(bodyText(body)) as Readonly<Record<string, unknown>>;

/** The first message of a type that is about a reader. */
async function heard(library: Library, topic: string, type: string, readerId = "ann") {
  const fits = (message: StoredMessage) => message.type === type && bodyOf(message)["readerId"] === readerId;
  return bodyOf(await library.heard(topic, fits, AbortSignal.timeout(20_000)));
}

void test("a loan outlives the process, and a late book costs its reader", async () => {
  {
    await using library = await openLibrary(folder);
    await library.publish(bookBorrow, { bookId: "b-1", readerId: "ann" });
    assert.equal((await heard(library, "loans", "loan.begun"))["readerId"], "ann");
  }
  // Three weeks and a day go by.
  const later = Date.now() + termMs + 3_600_000;
  await using library = await openLibrary(folder, () => later);
  assert.equal((await heard(library, "loans", "loan.overdue"))["bookId"], "b-1");
  await library.publish(bookReturn, { bookId: "b-1" });
  assert.equal((await heard(library, "loans", "loan.ended"))["daysLate"], 1);
  assert.deepEqual(await heard(library, "accounts", "fee.charged"), {
    readerId: "ann",
    bookId: "b-1",
    feePence: 20,
    owedPence: 20,
  });
  await library.publish(bookBorrow, { bookId: "b-1", readerId: "bob" });
  assert.equal((await heard(library, "loans", "loan.begun", "bob"))["readerId"], "bob");
});

void test("what does not fit its schema is refused at the desk", async () => {
  await using library = await openLibrary(folder);
  await assert.rejects(library.publish(bookBorrow, { bookId: "", readerId: "ann" }), { code: "MESSAGE_INVALID" });
});
