import { embedded } from "./server/deployment.ts";
import { testOrderLife } from "./server/order-life.ts";

testOrderLife("one file", embedded);
