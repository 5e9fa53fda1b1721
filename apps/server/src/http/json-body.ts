import { messageOf } from "@waybill/messaging";
import type { FastifyInstance } from "fastify";
import { isUtf8 } from "node:buffer";
import { Problem } from "./problem.ts";

/**
 * Reads bodies as JSON in UTF-8, and nothing else. Other bytes would be replaced one by one, and a name that was sent in
 * another encoding be stored without its letters.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser(["application/json", "text/plain"]);
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    if (!isUtf8(body)) return done(unreadable("The body is not text in UTF-8; send it in that encoding."));
    const text = body.toString();
    return parse(request, text, (error, value) => {
      if (error === null) done(null, value);
      else done(unreadable(whatIsWrong(text)));
    });
  });
}

function unreadable(detail: string): Problem {
  return new Problem("body-unreadable", detail);
}

/** Why a text was refused as JSON, with the place where it is known. */
function whatIsWrong(text: string): string {
  if (text.length === 0) return "The body is empty.";
  try {
    JSON.parse(text);
    return "The body has a member __proto__, or constructor.prototype; such names are not taken.";
  } catch (error) {
    return `The body is not valid JSON: ${messageOf(error)}.`;
  }
}
