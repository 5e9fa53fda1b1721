import { testSpool } from "@waybill/conformance";
import { memorySpool, testWorld } from "@waybill/memory";

testSpool("memory", async () => {
  const world = testWorld();
  const spool = memorySpool(world);
  return { spool, peer: spool, pass: (ms) => world.advance(ms), async [Symbol.asyncDispose]() {} };
});
