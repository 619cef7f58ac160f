-- What an agent is for, and what agents that look at the work of others concluded.

ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'worker' CHECK (kind IN ('worker', 'supervisory', 'manager'));

CREATE TABLE reports (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('task', 'project', 'system')),
  -- What it is about.
  task_id TEXT REFERENCES tasks (id),
  project_id TEXT REFERENCES projects (id),
  -- Who wrote it; a run writes one.
  run_id TEXT NOT NULL UNIQUE REFERENCES runs (id),
  by_task_id TEXT NOT NULL REFERENCES tasks (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('clear', 'issue')),
  summary TEXT NOT NULL,
  findings TEXT NOT NULL CHECK (json_valid(findings)),
  actions TEXT NOT NULL CHECK (json_valid(actions)),
  CHECK ((scope = 'task') = (task_id IS NOT NULL)),
  CHECK ((scope = 'system') = (project_id IS NULL))
) STRICT;
CREATE INDEX reports_by_task ON reports (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX reports_by_project ON reports (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX reports_by_author ON reports (by_task_id);
CREATE TRIGGER reports_stay_unchanged BEFORE UPDATE ON reports BEGIN
  SELECT RAISE(ABORT, 'a report never changes');
END;
CREATE TRIGGER reports_stay BEFORE DELETE ON reports BEGIN
  SELECT RAISE(ABORT, 'reports are never removed');
END;
