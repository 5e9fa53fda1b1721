export { realWorld, stderrLog, wallClock, type Log } from "./world.ts";
