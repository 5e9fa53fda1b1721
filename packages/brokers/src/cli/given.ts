import { connect } from "node:net";
import { givenUrl, variableOf, type Kind } from "../kinds.ts";
import { targetOf } from "../proxy.ts";

const connectMsMax = 5_000;

/** What the environment says of a kind; an error if nobody answers there, undefined if it says nothing. */
export async function given(kind: Kind): Promise<string | undefined> {
  const url = givenUrl(kind);
  if (url === undefined) return undefined;
  const answers = await Promise.all(url.split(",").map(isAnswering));
  if (answers.includes(true)) return url;
  throw new Error(
    `${variableOf(kind)} is ${withoutPassword(url)}, and nobody takes connections there. Unset it to start one here.`,
  );
}

function isAnswering(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...targetOf(url.trim()), timeout: connectMsMax });
    const settle = (answers: boolean) => () => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", settle(true)).once("error", settle(false)).once("timeout", settle(false));
  });
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]+@/g, ":***@");
}
