export { AppendJob } from "./append-job.ts";
export { change } from "./change.ts";
export type { FileStats, WaveLimits } from "./committer.ts";
export { fileName, openFile, type EmbeddedFile, type FileLimits, type OpenFile } from "./file.ts";
export type { FileLog } from "./file-log.ts";
export { readServerInfo, writeServerInfo, type ServerInfo } from "./lock.ts";
export { sqliteStore } from "./sqlite-store.ts";
export type { Segment, TopicLog } from "./topic-log.ts";
export type { Health } from "./writer-port.ts";
