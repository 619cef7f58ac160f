import { DatabaseSync } from "node:sqlite";
import type { Database } from "../../src/store/database.ts";
import { addProject, type Scratch } from "./scratch.ts";

/**
 * A database of Drover's own form with many tasks, half of them queued and half done long ago, evenly over its projects.
 * The rules of the tables are put aside while rows are made in bulk, and what they would have written is written too.
 */
export function openManyTasks(scratch: Scratch, name: string, { projects, tasks }: { projects: number; tasks: number }): Database {
  const empty = scratch.open(name);
  empty.writeNow((tx) => {
    for (let index = 0; index < projects; index += 1) addProject(tx, `p${index}`);
  });
  const { path } = empty;
  empty.close();
  const connection = new DatabaseSync(path);
  connection.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN");
  const triggers = connection.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  for (const trigger of triggers) connection.exec(`DROP TRIGGER ${trigger.name}`);
  connection.exec(bulk(projects, tasks));
  for (const trigger of triggers) connection.exec(trigger.sql);
  connection.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  connection.close();
  return scratch.open(name);
}

function bulk(projects: number, tasks: number): string {
  const done = Math.floor(tasks / 2);
  const at = Date.now() - 3_600_000;
  return `
    CREATE TEMP TABLE places AS SELECT row_number() OVER (ORDER BY name) - 1 AS place, id FROM projects;
    CREATE TEMP TABLE numbers (i INTEGER PRIMARY KEY);
    INSERT INTO numbers WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${tasks}) SELECT i FROM n;
    CREATE TEMP TABLE made AS
      SELECT i, 'task_' || printf('%08x-0000-7000-8000-%012x', i, i) AS id, places.id AS project_id, i <= ${done} AS is_done
      FROM numbers JOIN places ON place = i % ${projects};
    INSERT INTO tasks (sequence, id, project_id, number, source_kind, source_key, source_issue, workflow, delivery, status, stage,
        priority, run_after, queued_at, attempt, attempt_max, epoch, created_at, updated_at, started_at, finished_at, title, content_hash)
      SELECT i, id, project_id, i, 'local', 'issue:' || i, i, 'issue', 'pull_request', iif(is_done, 'succeeded', 'queued'), 'implement',
        50, ${at} + i / 1000, ${at} + i / 1000, is_done, 3, is_done, ${at}, ${at}, iif(is_done, ${at}, NULL), iif(is_done, ${at} + i / 1000, NULL), 'Issue ' || i, 'hash'
      FROM made ORDER BY i;
    INSERT INTO task_bodies (task_id, body) SELECT id, 'It should answer 200.' FROM made ORDER BY i;
    INSERT INTO runs (id, task_id, project_id, stage, attempt, epoch, worker, agent, driver, isolation, outcome, lease_expires_at, started_at, finished_at, progress_at)
      SELECT 'run_' || substr(id, 6), id, project_id, 'implement', 1, 1, 1, 'claude', 'claude', 'process', '{"status":"no_change","report":""}', ${at}, ${at}, ${at}, ${at}
      FROM made WHERE is_done ORDER BY i;
    INSERT INTO events (at, type, project_id, task_id, data)
      SELECT ${at}, 'task.created', project_id, id, '{"key":"p#1","title":"Issue","status":"queued"}' FROM made ORDER BY i;
    UPDATE task_totals SET count = (SELECT count(*) FROM tasks WHERE tasks.status = task_totals.status);
    UPDATE task_counts SET count = coalesce((
      SELECT counted.count FROM (SELECT project_id, status, count(*) AS count FROM tasks GROUP BY 1, 2) AS counted
      WHERE counted.project_id = task_counts.project_id AND counted.status = task_counts.status
    ), 0);
    UPDATE projects SET last_number = ${tasks};
    DROP TABLE temp.made; DROP TABLE temp.numbers; DROP TABLE temp.places;
  `;
}
