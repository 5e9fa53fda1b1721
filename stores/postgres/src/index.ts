export { inspect, type Inspection } from "./inspect.ts";
export { migrate, pendingMigrations, type Migrated } from "./migrations.ts";
export type { DatabaseOptions, PostgresOptions } from "./options.ts";
export { postgresStore, type PostgresStore } from "./postgres-store.ts";
export type { States } from "./states.ts";
