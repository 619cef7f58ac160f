-- What runs, agents and people tell and ask each other within a project.

CREATE TABLE messages (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  sender TEXT NOT NULL CHECK (json_valid(sender)),
  -- NULL: a person sent it.
  sender_task_id TEXT REFERENCES tasks (id),
  sender_run_id TEXT REFERENCES runs (id),
  sent_to TEXT NOT NULL CHECK (json_valid(sent_to)),
  kind TEXT NOT NULL CHECK (kind IN ('alert', 'query', 'share', 'stop')),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  -- Of a query: until when it wants its answer, and since when it is answered or nobody will.
  expires_at INTEGER,
  closed_at INTEGER,
  answer TEXT,
  answered_by TEXT,
  created_at INTEGER NOT NULL,
  CHECK ((kind = 'query') = (expires_at IS NOT NULL)),
  CHECK (kind = 'query' OR closed_at IS NULL),
  CHECK ((answer IS NULL) = (answered_by IS NULL)),
  CHECK (answer IS NULL OR closed_at IS NOT NULL)
) STRICT;
CREATE INDEX messages_by_project ON messages (project_id);
CREATE INDEX messages_by_sender ON messages (sender_task_id) WHERE sender_task_id IS NOT NULL;
CREATE INDEX queries_open ON messages (expires_at) WHERE kind = 'query' AND closed_at IS NULL;
CREATE TRIGGER messages_keep_what_was_said
BEFORE UPDATE OF id, project_id, sender, sender_task_id, sender_run_id, sent_to, kind, payload, created_at ON messages BEGIN
  SELECT RAISE(ABORT, 'what a message says never changes');
END;
CREATE TRIGGER messages_are_answered_once BEFORE UPDATE OF answer ON messages WHEN OLD.answer IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'a query is answered once');
END;

-- What became of a message for each who is to have it. One row each, so that nobody has it twice.
CREATE TABLE receipts (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  -- The id of a task, `person`, or '' for nobody.
  recipient TEXT NOT NULL,
  task_id TEXT REFERENCES tasks (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  reason TEXT,
  -- The run whose agent has it.
  run_id TEXT REFERENCES runs (id),
  delivered_at INTEGER,
  settled_at INTEGER,
  replayed_at INTEGER,
  CHECK (task_id IS NULL OR task_id = recipient),
  CHECK ((state = 'dead') = (reason IS NOT NULL)),
  CHECK ((state = 'pending') = (settled_at IS NULL)),
  CHECK (state <> 'delivered' OR delivered_at IS NOT NULL),
  UNIQUE (message_id, recipient)
) STRICT;
CREATE INDEX receipts_pending ON receipts (task_id) WHERE state = 'pending';
CREATE INDEX receipts_dead ON receipts (settled_at) WHERE state = 'dead';
CREATE INDEX receipts_by_run ON receipts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX receipts_by_task ON receipts (task_id) WHERE task_id IS NOT NULL;

-- The routing table: which tasks are to have what is sent to a topic.
CREATE TABLE subscriptions (
  project_id TEXT NOT NULL REFERENCES projects (id),
  topic TEXT NOT NULL,
  task_id TEXT NOT NULL REFERENCES tasks (id),
  since INTEGER NOT NULL,
  PRIMARY KEY (project_id, topic, task_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_task ON subscriptions (task_id);

CREATE TABLE message_counters (
  name TEXT NOT NULL PRIMARY KEY CHECK (name IN ('sent', 'delivered', 'answered', 'dead')),
  count INTEGER NOT NULL CHECK (count >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO message_counters (name, count) VALUES ('sent', 0), ('delivered', 0), ('answered', 0), ('dead', 0);

-- What its agent asked of the daemon by tools.
ALTER TABLE runs ADD COLUMN tool_calls INTEGER NOT NULL DEFAULT 0 CHECK (tool_calls >= 0);
