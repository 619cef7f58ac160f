-- The first form of the database. Rules that must hold whoever writes are triggers and checks; everything here works in
-- SQLite 3.40 too, so that a person can open the file with the `sqlite3` of a distribution.

-- `DRVR`
PRAGMA application_id = 1146246738;

-- The time of the open transaction of ours, so that what triggers write carries the same one. It is set and unset within
-- the transaction: no other program ever sees it set, and what another program writes carries the real time.
CREATE TABLE writer (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  now INTEGER
) STRICT;
INSERT INTO writer (id, now) VALUES (1, NULL);

CREATE VIEW moment AS
SELECT
  coalesce(now, CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)) AS at,
  now IS NULL AS is_foreign
FROM writer;

CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Projects ------------------------------------------------------------------------------------------------------------

CREATE TABLE projects (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  forge TEXT NOT NULL CHECK (forge IN ('github', 'local')),
  repository TEXT,
  remote TEXT NOT NULL,
  base_branch TEXT NOT NULL,
  priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
  weight REAL NOT NULL CHECK (weight > 0),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  -- That of its latest start (domain/schedule.ts).
  virtual_time REAL NOT NULL,
  -- The number of the newest task; goes on where an earlier project of this name left off, so that `name#number` is one task for ever.
  last_number INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  unregistered_at INTEGER,
  polled_at INTEGER,
  last_error TEXT
) STRICT;
CREATE UNIQUE INDEX projects_by_name ON projects (name) WHERE unregistered_at IS NULL;
CREATE UNIQUE INDEX projects_by_path ON projects (path) WHERE unregistered_at IS NULL;
CREATE INDEX projects_of_name ON projects (name);
CREATE INDEX projects_by_virtual_time ON projects (virtual_time);

CREATE TRIGGER projects_stay BEFORE DELETE ON projects BEGIN
  SELECT RAISE(ABORT, 'projects are never removed: set unregistered_at instead');
END;
CREATE TRIGGER projects_keep_identity BEFORE UPDATE OF id, name, path, registered_at ON projects
WHEN OLD.id <> NEW.id OR OLD.name <> NEW.name OR OLD.path <> NEW.path OR OLD.registered_at <> NEW.registered_at
BEGIN
  SELECT RAISE(ABORT, 'id, name, path and registered_at of a project never change');
END;

-- Workflows -----------------------------------------------------------------------------------------------------------

-- Each workflow as it was accepted, with its templates: a task ends on the version that it began with.
CREATE TABLE workflows (
  id INTEGER PRIMARY KEY,
  -- '': it holds for all projects.
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  -- NULL: it comes with Drover.
  file TEXT,
  definition TEXT NOT NULL CHECK (json_valid(definition)),
  content_hash TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  UNIQUE (project_id, name, version)
) STRICT;
CREATE TRIGGER workflows_stay_unchanged BEFORE UPDATE ON workflows BEGIN
  SELECT RAISE(ABORT, 'a version of a workflow never changes');
END;
CREATE TRIGGER workflows_stay BEFORE DELETE ON workflows BEGIN
  SELECT RAISE(ABORT, 'versions of workflows are never removed');
END;

-- What new tasks get, by place and name. No row: nothing any more.
CREATE TABLE workflows_in_force (
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  workflow_id INTEGER NOT NULL REFERENCES workflows (id),
  -- What its file held when a person went back to an earlier version: it is not taken again.
  refused_hash TEXT,
  PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

-- Tasks ---------------------------------------------------------------------------------------------------------------

CREATE TABLE tasks (
  -- Order of making: the cursor of every list and the last word in every tie.
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  number INTEGER NOT NULL CHECK (number > 0),
  source_kind TEXT NOT NULL CHECK (source_kind IN ('github', 'local', 'cli', 'api', 'task')),
  source_key TEXT NOT NULL,
  source_issue INTEGER,
  source_url TEXT,
  source_actor TEXT,
  workflow TEXT NOT NULL,
  -- The version that it began with; NULL: it has not begun, and gets the one in force.
  workflow_id INTEGER REFERENCES workflows (id),
  -- What the person who filed it gave for the workflow's parameters.
  parameters TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(parameters)),
  delivery TEXT NOT NULL CHECK (delivery IN ('pull_request', 'branch', 'comment', 'parent')),
  status TEXT NOT NULL
    CHECK (status IN ('draft', 'queued', 'running', 'waiting', 'blocked', 'succeeded', 'failed', 'cancelled')),
  reason TEXT,
  message TEXT,
  stage TEXT NOT NULL,
  priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
  deadline_at INTEGER,
  run_after INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  attempt_max INTEGER NOT NULL CHECK (attempt_max > 0),
  -- Which iteration of its stage's loop its next run is, or the one that runs; of a stage that is none: 1.
  iteration INTEGER NOT NULL DEFAULT 1 CHECK (iteration > 0),
  epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  parent_id TEXT REFERENCES tasks (id),
  branch TEXT,
  pull_number INTEGER,
  pull_url TEXT,
  -- The session that the next run goes on with, and the agent that it is of; '': there is none.
  resume_session_id TEXT,
  session_agent TEXT NOT NULL DEFAULT '',
  -- The pools that it needs besides those of its stages: their names, in order.
  needs TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(needs)),
  -- What the same things may hold up while it is queued (domain/gates.ts).
  lane TEXT NOT NULL GENERATED ALWAYS AS (
    workflow || '.' || stage || ' ' || coalesce(workflow_id, '') || ' ' || session_agent || ' ' || needs
  ) VIRTUAL,
  -- When it was told that it waits too long; NULL: it was not, since it has this status.
  overdue_at INTEGER,
  -- A cancellation that the runner of a running task has yet to carry out.
  cancel_by TEXT CHECK (cancel_by IN ('user', 'source', 'shutdown')),
  cancel_message TEXT,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd_micros INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  title TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  CHECK ((pull_number IS NULL) = (pull_url IS NULL)),
  CHECK ((cancel_by IS NULL) = (cancel_message IS NULL)),
  UNIQUE (project_id, number),
  UNIQUE (project_id, source_kind, source_key)
) STRICT;
-- Each index of a column also holds the sequence, so these are lists in order of making.
CREATE INDEX tasks_by_project ON tasks (project_id);
CREATE INDEX tasks_by_status ON tasks (status);
CREATE INDEX tasks_by_project_and_status ON tasks (project_id, status);
CREATE INDEX tasks_by_stage ON tasks (stage);
CREATE INDEX tasks_ended ON tasks (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_ended_by_project ON tasks (project_id, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX tasks_by_parent ON tasks (parent_id) WHERE parent_id IS NOT NULL;
-- The heads of each lane of a project's queue: by priority, by deadline, by age; and what becomes due next.
CREATE INDEX queue_by_priority ON tasks (project_id, lane, priority DESC) WHERE status = 'queued';
CREATE INDEX queue_by_deadline ON tasks (project_id, lane, deadline_at, priority DESC) WHERE status = 'queued' AND deadline_at IS NOT NULL;
CREATE INDEX queue_by_age ON tasks (project_id, lane, queued_at) WHERE status = 'queued';
CREATE INDEX queue_by_due_time ON tasks (run_after) WHERE status = 'queued';
-- What has waited for its turn, and for a person's approval, and nobody was told of: the longest waiting first.
CREATE INDEX queue_by_wait ON tasks (project_id, max(queued_at, run_after)) WHERE status = 'queued' AND overdue_at IS NULL;
CREATE INDEX tasks_to_approve ON tasks (id) WHERE status = 'blocked' AND reason = 'approval' AND overdue_at IS NULL;
CREATE INDEX tasks_overdue ON tasks (project_id) WHERE overdue_at IS NOT NULL;
CREATE INDEX tasks_to_cancel ON tasks (id) WHERE cancel_by IS NOT NULL;

-- The request's text apart from the task, so that a change of status does not write it again.
CREATE TABLE task_bodies (
  task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id),
  body TEXT NOT NULL
) STRICT;

CREATE TABLE task_dependencies (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  depends_on_id TEXT NOT NULL REFERENCES tasks (id),
  PRIMARY KEY (task_id, depends_on_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_dependents ON task_dependencies (depends_on_id);

-- What a task's dependencies make of it when it is wanted.
CREATE VIEW task_readiness AS
SELECT
  task.id AS task_id,
  CASE
    WHEN EXISTS (
      SELECT 1 FROM task_dependencies AS link JOIN tasks AS needed ON needed.id = link.depends_on_id
      WHERE link.task_id = task.id AND needed.status IN ('failed', 'cancelled')
    ) THEN 'blocked'
    WHEN EXISTS (
      SELECT 1 FROM task_dependencies AS link JOIN tasks AS needed ON needed.id = link.depends_on_id
      WHERE link.task_id = task.id AND needed.status <> 'succeeded'
    ) THEN 'waiting'
    ELSE 'queued'
  END AS status
FROM tasks AS task;

-- How many tasks have each status, of each project and of all: a count of a million rows takes too long for each claim.
CREATE TABLE task_counts (
  status TEXT NOT NULL,
  project_id TEXT NOT NULL REFERENCES projects (id),
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (status, project_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE task_totals (
  status TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL CHECK (count >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO task_totals (status, count)
VALUES ('draft', 0), ('queued', 0), ('running', 0), ('waiting', 0), ('blocked', 0), ('succeeded', 0), ('failed', 0), ('cancelled', 0);
CREATE TRIGGER projects_are_counted AFTER INSERT ON projects BEGIN
  INSERT INTO task_counts (status, project_id, count) SELECT status, NEW.id, 0 FROM task_totals;
END;

-- Runs ----------------------------------------------------------------------------------------------------------------

CREATE TABLE runs (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  stage TEXT NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt > 0),
  iteration INTEGER NOT NULL CHECK (iteration > 0),
  epoch INTEGER NOT NULL CHECK (epoch > 0),
  worker INTEGER NOT NULL CHECK (worker > 0),
  agent TEXT NOT NULL,
  driver TEXT NOT NULL,
  isolation TEXT NOT NULL,
  -- Whose limits its agent shares; '': nobody's.
  account TEXT NOT NULL DEFAULT '',
  -- The kinds of seats that it takes while it is open, and the pools in which it has a place (domain/seats.ts, domain/pools.ts).
  seats TEXT NOT NULL DEFAULT '["process"]' CHECK (json_type(seats) = 'array'),
  progress TEXT NOT NULL DEFAULT 'preparing' CHECK (progress IN ('preparing', 'prompting', 'working', 'verifying')),
  state TEXT CHECK (json_valid(state)),
  outcome TEXT CHECK (json_valid(outcome)),
  lease_expires_at INTEGER NOT NULL,
  process TEXT CHECK (json_valid(process)),
  session_id TEXT,
  resumes_session_id TEXT,
  base_commit TEXT,
  questions TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(questions)),
  output_offset INTEGER NOT NULL DEFAULT 0,
  -- Up to where its spool of hooks has become hook events.
  hook_offset INTEGER NOT NULL DEFAULT 0,
  -- What its agent asked of the forge.
  broker_calls INTEGER NOT NULL DEFAULT 0 CHECK (broker_calls >= 0),
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd_micros INTEGER,
  -- The most memory that it was seen to take, bytes; 0: it was not measured.
  peak_memory_bytes INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  progress_at INTEGER NOT NULL,
  CHECK ((outcome IS NULL) = (finished_at IS NULL)),
  UNIQUE (task_id, epoch)
) STRICT;
CREATE UNIQUE INDEX runs_open ON runs (task_id) WHERE finished_at IS NULL;
CREATE INDEX runs_by_task ON runs (task_id);
CREATE INDEX runs_by_project ON runs (project_id);

CREATE TRIGGER runs_stay BEFORE DELETE ON runs BEGIN
  SELECT RAISE(ABORT, 'runs are never removed');
END;
CREATE TRIGGER runs_end_once BEFORE UPDATE ON runs WHEN OLD.finished_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'a run that has ended never changes');
END;

-- What iterations of a loop leave to those after them: only ever added to, each text once. A `rollback` takes back what
-- stands before it of later iterations.
CREATE TABLE loop_notes (
  sequence INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  stage TEXT NOT NULL,
  iteration INTEGER NOT NULL CHECK (iteration >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('change', 'check', 'report', 'told', 'rollback')),
  text TEXT NOT NULL,
  -- Of a loop's result as the checks saw it; equal ones got nowhere.
  signature TEXT,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX loop_notes_by_task ON loop_notes (task_id, stage);
CREATE TRIGGER loop_notes_stay_unchanged BEFORE UPDATE ON loop_notes BEGIN
  SELECT RAISE(ABORT, 'the notes of a loop never change');
END;
CREATE TRIGGER loop_notes_stay BEFORE DELETE ON loop_notes BEGIN
  SELECT RAISE(ABORT, 'the notes of a loop are never removed');
END;

-- What the children of a task have come to so far, for it to go on from.
CREATE TABLE gathered (
  task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id),
  base_commit TEXT NOT NULL,
  head_commit TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the passes of a PRD's decomposition came to: the newest of each, by a run or a person.
CREATE TABLE prd_passes (
  task_id TEXT NOT NULL REFERENCES tasks (id),
  pass TEXT NOT NULL CHECK (pass IN ('phases', 'tasks', 'acceptance', 'order')),
  result TEXT NOT NULL,
  given_by TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (task_id, pass)
) STRICT, WITHOUT ROWID;

-- What stops starts: circuit breakers, the limits of providers' accounts, and what was spent ----------------------------

CREATE TABLE circuits (
  id TEXT NOT NULL PRIMARY KEY CHECK (id = 'system' OR id LIKE 'worker:_%' OR id LIKE 'stage:_%'),
  state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
  failures INTEGER NOT NULL CHECK (failures >= 0),
  openings INTEGER NOT NULL CHECK (openings >= 0),
  open_until INTEGER,
  trial_run_id TEXT REFERENCES runs (id),
  message TEXT,
  CHECK ((state = 'open') = (open_until IS NOT NULL)),
  CHECK (trial_run_id IS NULL OR state = 'half_open')
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  key TEXT NOT NULL PRIMARY KEY,
  limited_until INTEGER,
  limits INTEGER NOT NULL CHECK (limits >= 0),
  cap INTEGER CHECK (cap > 0),
  slowed_at INTEGER NOT NULL,
  paused_until INTEGER,
  overloads INTEGER NOT NULL CHECK (overloads >= 0),
  message TEXT
) STRICT, WITHOUT ROWID;

-- A bucket of tokens by what takes them: the starts of a project, of an agent (domain/rate.ts).
CREATE TABLE rate_buckets (
  id TEXT NOT NULL PRIMARY KEY,
  full_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- A day is one of the calendar where the daemon is, `2026-01-31`.
CREATE TABLE spending (
  day TEXT NOT NULL,
  project_id TEXT NOT NULL REFERENCES projects (id),
  tokens INTEGER NOT NULL CHECK (tokens >= 0),
  cost_usd_micros INTEGER NOT NULL CHECK (cost_usd_micros >= 0),
  PRIMARY KEY (day, project_id)
) STRICT, WITHOUT ROWID;

-- Events and the audit log: written once, never changed -------------------------------------------------------------

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  project_id TEXT,
  task_id TEXT,
  run_id TEXT,
  data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
CREATE INDEX events_by_task ON events (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX events_by_project ON events (project_id) WHERE project_id IS NOT NULL;
CREATE TRIGGER events_stay_unchanged BEFORE UPDATE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never removed');
END;

-- What the agents' hooks tell, apart from the events: there are many, and they are kept for some weeks only.
CREATE TABLE hook_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  agent TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('agent', 'daemon')),
  category TEXT NOT NULL CHECK (category IN ('tool', 'session', 'error', 'state')),
  name TEXT NOT NULL,
  tool TEXT,
  detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX hook_events_by_run ON hook_events (run_id);
CREATE INDEX hook_events_by_task ON hook_events (task_id);
CREATE INDEX hook_events_by_age ON hook_events (at);
CREATE TRIGGER hook_events_stay_unchanged BEFORE UPDATE ON hook_events BEGIN
  SELECT RAISE(ABORT, 'hook events are never changed');
END;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE TRIGGER audit_stays_unchanged BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is never shortened');
END;

-- The state machine of tasks (domain/task-states.ts) -----------------------------------------------------------------

CREATE TRIGGER tasks_stay BEFORE DELETE ON tasks BEGIN
  SELECT RAISE(ABORT, 'tasks are never removed: cancel them instead');
END;
CREATE TRIGGER tasks_keep_identity
BEFORE UPDATE OF sequence, id, project_id, number, source_kind, source_key, title, content_hash, created_at ON tasks
WHEN (OLD.sequence, OLD.id, OLD.project_id, OLD.number, OLD.source_kind, OLD.source_key, OLD.title, OLD.content_hash, OLD.created_at)
  <> (NEW.sequence, NEW.id, NEW.project_id, NEW.number, NEW.source_kind, NEW.source_key, NEW.title, NEW.content_hash, NEW.created_at)
BEGIN
  SELECT RAISE(ABORT, 'what a task is, where it came from and what was approved never change');
END;
CREATE TRIGGER task_bodies_stay_unchanged BEFORE UPDATE ON task_bodies BEGIN
  SELECT RAISE(ABORT, 'the text of a task is frozen');
END;
CREATE TRIGGER task_bodies_stay BEFORE DELETE ON task_bodies BEGIN
  SELECT RAISE(ABORT, 'the text of a task is never removed');
END;

CREATE TRIGGER tasks_begin BEFORE INSERT ON tasks
WHEN NEW.status NOT IN ('draft', 'queued', 'waiting', 'blocked')
BEGIN
  SELECT RAISE(ABORT, 'a new task is draft, queued, waiting or blocked');
END;
CREATE TRIGGER tasks_created AFTER INSERT ON tasks BEGIN
  INSERT INTO events (at, type, project_id, task_id, data)
  SELECT moment.at, 'task.created', NEW.project_id, NEW.id,
    json_object('key', projects.name || '#' || NEW.number, 'title', NEW.title, 'status', NEW.status)
  FROM moment JOIN projects ON projects.id = NEW.project_id;
  UPDATE task_counts SET count = count + 1 WHERE status = NEW.status AND project_id = NEW.project_id;
  UPDATE task_totals SET count = count + 1 WHERE status = NEW.status;
END;

CREATE TRIGGER tasks_move_as_allowed BEFORE UPDATE OF status ON tasks
WHEN OLD.status <> NEW.status AND (OLD.status || '>' || NEW.status) NOT IN (
  'draft>queued', 'draft>cancelled',
  'queued>running', 'queued>waiting', 'queued>blocked', 'queued>failed', 'queued>cancelled',
  'running>queued', 'running>blocked', 'running>succeeded', 'running>failed', 'running>cancelled',
  'waiting>queued', 'waiting>blocked', 'waiting>cancelled',
  'blocked>queued', 'blocked>waiting', 'blocked>succeeded', 'blocked>failed', 'blocked>cancelled',
  'succeeded>queued', 'succeeded>blocked',
  'failed>queued',
  'cancelled>queued'
)
BEGIN
  SELECT RAISE(ABORT, 'a task does not move between these statuses');
END;
CREATE TRIGGER tasks_start_by_a_claim BEFORE UPDATE OF status ON tasks
WHEN NEW.status = 'running' AND OLD.status <> 'running' AND NEW.epoch <> OLD.epoch + 1
BEGIN
  SELECT RAISE(ABORT, 'only a claim starts a task, and raises its epoch: set its status to queued');
END;
CREATE TRIGGER tasks_raise_epoch BEFORE UPDATE OF epoch ON tasks WHEN NEW.epoch < OLD.epoch BEGIN
  SELECT RAISE(ABORT, 'the epoch of a task never goes down');
END;

-- Before the row changes, so that this event precedes those of what the change sets off. A reason that another program
-- left as it was is that of the old status and goes.
CREATE TRIGGER tasks_record_move BEFORE UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
  INSERT INTO events (at, type, project_id, task_id, data)
  SELECT at, 'task.status_changed', NEW.project_id, NEW.id, json_object(
    'from', OLD.status,
    'to', NEW.status,
    'reason', CASE WHEN is_foreign AND NEW.reason IS OLD.reason THEN NULL ELSE NEW.reason END,
    'message', CASE WHEN is_foreign AND NEW.message IS OLD.message THEN NULL ELSE NEW.message END
  ) FROM moment;
  UPDATE task_counts SET count = count - 1 WHERE status = OLD.status AND project_id = OLD.project_id;
  UPDATE task_counts SET count = count + 1 WHERE status = NEW.status AND project_id = NEW.project_id;
  UPDATE task_totals SET count = count - 1 WHERE status = OLD.status;
  UPDATE task_totals SET count = count + 1 WHERE status = NEW.status;
END;

-- What goes with a status. One that another program queues may start at once; one that is wanted again begins anew; one
-- whose dependencies have not succeeded is held.
CREATE TRIGGER tasks_settle_move AFTER UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
  UPDATE tasks SET (updated_at, queued_at, run_after, finished_at, reason, message, attempt, overdue_at, cancel_by, cancel_message) = (
    SELECT
      at,
      iif(NEW.status = 'queued', at, queued_at),
      iif(is_foreign AND NEW.status = 'queued' AND NEW.run_after = OLD.run_after, at, run_after),
      iif(NEW.status IN ('succeeded', 'failed', 'cancelled'), at, NULL),
      iif(is_foreign AND NEW.reason IS OLD.reason, NULL, reason),
      iif(is_foreign AND NEW.message IS OLD.message, NULL, message),
      iif(NEW.status = 'queued' AND OLD.status IN ('succeeded', 'failed', 'cancelled', 'blocked'), 0, attempt),
      NULL,
      NULL,
      NULL
    FROM moment
  )
  WHERE sequence = NEW.sequence;
  UPDATE tasks SET (status, reason, message) = (
    SELECT status, iif(status = 'blocked', 'dependency_failed', 'dependency'), NULL
    FROM task_readiness WHERE task_id = NEW.id
  )
  WHERE sequence = NEW.sequence AND NEW.status = 'queued'
    AND (SELECT status FROM task_readiness WHERE task_id = NEW.id) <> 'queued';
END;

-- Dependencies: what is wanted goes on by itself when what it needs has succeeded -------------------------------------

CREATE TRIGGER tasks_wake_dependents AFTER UPDATE OF status ON tasks
WHEN OLD.status <> NEW.status
  AND (NEW.status IN ('succeeded', 'failed', 'cancelled') OR OLD.status IN ('failed', 'cancelled'))
BEGIN
  UPDATE tasks SET (status, reason, message) = (
    SELECT
      status,
      iif(status = 'blocked', 'dependency_failed', iif(status = 'waiting', 'dependency', NULL)),
      iif(status = 'blocked', (SELECT name FROM projects WHERE id = NEW.project_id) || '#' || NEW.number || ' ' || NEW.status || coalesce(': ' || NEW.message, ''), NULL)
    FROM task_readiness WHERE task_id = tasks.id
  )
  WHERE id IN (SELECT task_id FROM task_dependencies WHERE depends_on_id = NEW.id)
    AND status IN ('waiting', 'blocked') AND reason IN ('dependency', 'dependency_failed');
END;
-- What was done is open again, because it no longer fits the base: what needs it and has not begun waits for that.
CREATE TRIGGER tasks_hold_dependents AFTER UPDATE OF status ON tasks
WHEN OLD.status = 'succeeded' AND NEW.status <> 'succeeded'
BEGIN
  UPDATE tasks SET status = 'waiting', reason = 'dependency', message = NULL
  WHERE id IN (SELECT task_id FROM task_dependencies WHERE depends_on_id = NEW.id) AND status = 'queued';
END;
CREATE TRIGGER task_dependencies_hold AFTER INSERT ON task_dependencies
WHEN EXISTS (SELECT 1 FROM tasks WHERE id = NEW.task_id AND status IN ('queued', 'waiting'))
BEGIN
  UPDATE tasks SET (status, reason, message) = (
    SELECT status, iif(status = 'blocked', 'dependency_failed', 'dependency'), NULL
    FROM task_readiness WHERE task_id = NEW.task_id
  )
  WHERE id = NEW.task_id
    AND (SELECT status FROM task_readiness WHERE task_id = NEW.task_id) NOT IN (status, 'queued');
END;
CREATE TRIGGER task_dependencies_make_no_cycle BEFORE INSERT ON task_dependencies
WHEN EXISTS (
  WITH RECURSIVE needed (id) AS (
    SELECT NEW.depends_on_id
    UNION
    SELECT depends_on_id FROM task_dependencies JOIN needed ON task_id = needed.id
  )
  SELECT 1 FROM needed WHERE id = NEW.task_id
)
BEGIN
  SELECT RAISE(ABORT, 'a task can''t depend on itself, not by way of others either');
END;
CREATE TRIGGER task_dependencies_release AFTER DELETE ON task_dependencies
WHEN EXISTS (SELECT 1 FROM tasks WHERE id = OLD.task_id AND status IN ('waiting', 'blocked') AND reason IN ('dependency', 'dependency_failed'))
BEGIN
  UPDATE tasks SET (status, reason, message) = (
    SELECT status, iif(status = 'blocked', 'dependency_failed', iif(status = 'waiting', 'dependency', NULL)), NULL
    FROM task_readiness WHERE task_id = OLD.task_id
  )
  WHERE id = OLD.task_id AND status <> (SELECT status FROM task_readiness WHERE task_id = OLD.task_id);
END;
CREATE TRIGGER task_dependencies_stay_unchanged BEFORE UPDATE ON task_dependencies BEGIN
  SELECT RAISE(ABORT, 'a dependency never changes: remove it and add another');
END;
CREATE TRIGGER task_dependencies_stay_of_what_ran BEFORE DELETE ON task_dependencies
WHEN EXISTS (SELECT 1 FROM tasks WHERE id = OLD.task_id AND status IN ('running', 'succeeded'))
BEGIN
  SELECT RAISE(ABORT, 'the dependencies of a task that runs or has succeeded never change');
END;

-- Effects and alerts --------------------------------------------------------------------------------------------------

CREATE TABLE effects (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  task_id TEXT NOT NULL REFERENCES tasks (id),
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed', 'dropped')),
  attempt INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX effects_by_task ON effects (task_id);
CREATE INDEX effects_pending ON effects (task_id) WHERE status = 'pending';
CREATE INDEX effects_by_next_time ON effects (next_at) WHERE status = 'pending';

CREATE TABLE alerts (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  message TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0),
  project_id TEXT,
  task_id TEXT,
  raised_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  resolved_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;

-- Where alerts are sent: what the configuration says, as far as it decides which alert goes where, and how that went.
CREATE TABLE channels (
  name TEXT NOT NULL PRIMARY KEY,
  -- Lists; an empty one stands for all.
  only_kinds TEXT NOT NULL CHECK (json_valid(only_kinds)),
  only_projects TEXT NOT NULL CHECK (json_valid(only_projects)),
  tells_resolved INTEGER NOT NULL CHECK (tells_resolved IN (0, 1)),
  gather_ms INTEGER NOT NULL CHECK (gather_ms >= 0),
  -- Attempts that failed since the last one that did not.
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  last_error TEXT
) STRICT, WITHOUT ROWID;

-- A notice tells a channel of alerts of one kind. It gathers them until its time has come; then its content is fixed.
CREATE TABLE notices (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  change TEXT NOT NULL CHECK (change IN ('raised', 'resolved')),
  content TEXT CHECK (json_valid(content)),
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed', 'dropped')),
  attempt INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  CHECK ((status = 'pending') = (settled_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX notices_gathering ON notices (channel, kind, change) WHERE status = 'pending' AND content IS NULL;
CREATE INDEX notices_pending ON notices (channel) WHERE status = 'pending';
CREATE INDEX notices_by_channel ON notices (channel, settled_at) WHERE status = 'done';
CREATE INDEX notices_settled ON notices (settled_at) WHERE status <> 'pending';

CREATE TABLE notice_alerts (
  alert_id TEXT NOT NULL REFERENCES alerts (id),
  notice_id TEXT NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
  PRIMARY KEY (alert_id, notice_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_of_notice ON notice_alerts (notice_id);

-- Intake and checks ---------------------------------------------------------------------------------------------------

CREATE TABLE issue_cursors (
  project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (id),
  cursor TEXT NOT NULL
) STRICT;

CREATE TABLE issue_states (
  project_id TEXT NOT NULL REFERENCES projects (id),
  issue INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  task_id TEXT REFERENCES tasks (id),
  follow_ups INTEGER NOT NULL,
  open INTEGER NOT NULL CHECK (open IN (0, 1)),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, issue)
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_states_open ON issue_states (project_id, issue) WHERE open = 1;
CREATE INDEX issue_states_by_task ON issue_states (task_id) WHERE task_id IS NOT NULL;

-- Webhook deliveries that were taken in, so that one sent again is known.
CREATE TABLE deliveries (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id TEXT NOT NULL REFERENCES projects (id),
  delivery_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  UNIQUE (project_id, delivery_id)
) STRICT;

CREATE TABLE check_results (
  project_id TEXT NOT NULL REFERENCES projects (id),
  commit_hash TEXT NOT NULL,
  check_key TEXT NOT NULL,
  exit_code INTEGER,
  duration_ms INTEGER NOT NULL,
  failures TEXT NOT NULL CHECK (json_valid(failures)),
  output_tail TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, commit_hash, check_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX check_results_by_age ON check_results (saved_at);

-- Branches of finished tasks until they are merged, and the merge queue ------------------------------------------------

CREATE TABLE branches (
  task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (id),
  project_id TEXT NOT NULL REFERENCES projects (id),
  base_commit TEXT NOT NULL,
  head_commit TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'left', 'merged', 'closed')),
  message TEXT,
  -- Where it is in the merge queue of its project; null: it is not in it.
  place INTEGER,
  updated_at INTEGER NOT NULL,
  CHECK (place IS NULL OR state = 'open')
) STRICT, WITHOUT ROWID;
CREATE INDEX branches_by_state ON branches (state, project_id);
CREATE UNIQUE INDEX merge_queue ON branches (place) WHERE place IS NOT NULL;
