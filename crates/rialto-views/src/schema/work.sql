CREATE TABLE task(
  id INTEGER PRIMARY KEY, requester_kind INTEGER NOT NULL, requester INTEGER NOT NULL,
  worker INTEGER NOT NULL, parent INTEGER, deal INTEGER, team INTEGER, state TEXT NOT NULL,
  body INTEGER, at INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE INDEX task_parent ON task(parent, id) WHERE parent IS NOT NULL;
CREATE INDEX task_asks ON task(requester, id)
  WHERE requester_kind = 2 AND state IN ('input_required', 'auth_required');
CREATE TABLE task_step(
  task INTEGER NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL, note INTEGER,
  at INTEGER NOT NULL, PRIMARY KEY(task, position)) WITHOUT ROWID;
CREATE TABLE artifact(
  task INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, content INTEGER NOT NULL,
  at INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(task, number)) WITHOUT ROWID;
CREATE TABLE team(
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE team_member(
  team INTEGER NOT NULL, agent INTEGER NOT NULL, role TEXT NOT NULL, joined INTEGER NOT NULL,
  agreed INTEGER NOT NULL, ppm INTEGER, since INTEGER NOT NULL,
  PRIMARY KEY(team, agent)) WITHOUT ROWID;
