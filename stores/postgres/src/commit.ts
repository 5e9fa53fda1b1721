import { codeOf, type Batch, type Commit, WaybillError } from "@waybill/messaging";
import { CommitParams } from "./commit-params.ts";
import { columns } from "./columns.ts";
import type { Database, Statement } from "./database.ts";
import { commitFailureOf, isTransient } from "./failures.ts";

/** How often a commit is sent that meets deadlocks. */
const triesMax = 3;

interface Answer {
  readonly fenced: boolean;
  readonly now_ms: number;
}

/** Commits batches, each in one statement. What is applied is durable. */
export function committer(database: Database, schema: string): (batch: Batch) => Commit {
  const scalars = 8;
  const count = scalars + Object.values(columns).reduce((sum, group) => sum + Object.keys(group).length, 0);
  const marks = Array.from({ length: count }, (_, index) => `$${index + 1}`).join(", ");
  const statement: Statement = { name: "commit", text: `select * from ${schema}.commit_batch_1(${marks})` };
  const params = new CommitParams();

  async function commit(batch: Batch): Promise<void> {
    for (let tries = 1; ; tries++) {
      const askedMs = database.clock.monotonicMs();
      try {
        const [answer] = await database.send<Answer>(statement, () => params.write(batch));
        database.clock.told(answer!.now_ms, askedMs, database.clock.monotonicMs());
        if (!answer!.fenced) throw notOwner(batch);
        return;
      } catch (error) {
        if (codeOf(error) !== undefined) throw error;
        if (isTransient(error) && tries < triesMax) continue;
        throw commitFailureOf(error, batch.service, batch.lane);
      }
    }
  }

  return (batch) => {
    const applied = commit(batch);
    const durable = applied.then(() => undefined);
    // A caller may look at one of the two only; the other's rejection is then nobody's.
    applied.catch(() => undefined);
    durable.catch(() => undefined);
    return { applied, durable };
  };
}

function notOwner({ service, lane, epoch, batch }: Batch): WaybillError {
  return new WaybillError(
    "NOT_OWNER",
    `Lane ${lane} of "${service}" is no longer at epoch ${epoch} and batch ${batch}, for which the commit was.`,
    { details: { service, lane, epoch, batch } },
  );
}
