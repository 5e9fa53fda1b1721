import { testTransport } from "@waybill/conformance";
import { underTest } from "./surgery.ts";

testTransport("embedded", underTest);
