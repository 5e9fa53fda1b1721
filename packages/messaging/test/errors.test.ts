import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { codeOf, errorCodes, messageOf, WaybillError, type ErrorCode } from "@waybill/messaging";

const page = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const codes = Object.keys(errorCodes) as ErrorCode[];

/** The rows of the sections that are this package's: those before the first section of another. */
function documented(): { code: string; isRetryable: boolean; text: string }[] {
  const sections = page.split(/^## /m).slice(1, 4).join("\n");
  return Array.from(sections.matchAll(/^\| `(\w+)`( ↻)? +\| (.+) \|$/gm), ([, code, retry, text]) => ({
    code: code!,
    isRetryable: retry !== undefined,
    text: text!,
  }));
}

test("every code is documented, and every documented code exists", () => {
  expect(
    documented()
      .map(({ code }) => code)
      .toSorted(),
  ).toEqual(codes.toSorted());
});

test("a code is documented once, with what happened and what to do", () => {
  for (const { text } of documented()) {
    const [happened, todo, ...more] = text.split(" | ").map((cell) => cell.trim());
    expect(happened!.length).toBeGreaterThan(20);
    expect(todo!.length).toBeGreaterThan(6);
    expect(more).toEqual([]);
  }
});

test("the marks say which calls may be made again", () => {
  const marked = documented().filter(({ isRetryable }) => isRetryable);
  const retryable = codes.filter((code) => new WaybillError(code, "").retryable);
  expect(marked.map(({ code }) => code).toSorted()).toEqual(retryable.toSorted());
});

test("an error is known by its code, and says what caused it", () => {
  const cause = new Error("socket closed");
  const error = new WaybillError("STORE_UNAVAILABLE", "No answer.", { cause, details: { ms: 5 } });
  expect(codeOf(error)).toBe("STORE_UNAVAILABLE");
  expect(error.cause).toBe(cause);
  expect(error.details).toEqual({ ms: 5 });
  expect([codeOf(cause), codeOf("text")]).toEqual([undefined, undefined]);
  expect([messageOf(cause), messageOf("text")]).toEqual(["socket closed", "text"]);
});
