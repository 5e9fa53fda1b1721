// Loaded before a server (NODE_OPTIONS=--import), it makes the variant of it that WAYBILL_VARIANT names, in its threads too.
import { switchOn } from "../mutants/patch.ts";
import { variants } from "./variants.ts";

const variant = variants.find(({ name }) => name === process.env["WAYBILL_VARIANT"]);
if (variant !== undefined) switchOn(variant);
