// A day at the library's desk, in a folder that is kept: run it twice, and the second reader is refused at once.
import { bodyText } from "@waybill/messaging";
import { bookBorrow } from "./contracts.ts";
import { openLibrary } from "./library.ts";

await using library = await openLibrary(process.argv[2] ?? ".library");
const signal = AbortSignal.timeout(10_000);

await library.publish(bookBorrow, { bookId: "b-1", readerId: "ann" });
await library.publish(bookBorrow, { bookId: "b-1", readerId: "bob" });
for (const type of ["loan.begun", "loan.refused"]) {
  const { body } = await library.heard("loans", (message) => message.type === type, signal);
  process.stdout.write(`${type} ${bodyText(body)}\n`);
}
