import { testTransport } from "@waybill/conformance";
import { underTest } from "./under-test.ts";

testTransport("embedded", underTest);
