CREATE TABLE owner(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
  at INTEGER NOT NULL, stopped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE person(
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  status TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX person_owner ON person(owner, id);
CREATE TABLE agent(
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, team INTEGER, handle TEXT NOT NULL UNIQUE,
  key BLOB NOT NULL, custody TEXT NOT NULL, status TEXT NOT NULL, description INTEGER,
  profile TEXT NOT NULL, at INTEGER NOT NULL,
  -- The older agent that its handle is an edit from, or reads as.
  resembles INTEGER,
  -- What screening says of its skills, tags and prices.
  screen INTEGER NOT NULL DEFAULT 0);
CREATE INDEX agent_owner ON agent(owner, id);
CREATE TABLE agent_term(
  kind INTEGER NOT NULL, key TEXT NOT NULL, agent INTEGER NOT NULL,
  PRIMARY KEY(kind, key, agent)) WITHOUT ROWID;
CREATE INDEX agent_term_agent ON agent_term(agent);
CREATE TABLE token(
  id INTEGER PRIMARY KEY, holder_kind INTEGER NOT NULL, holder INTEGER NOT NULL, owner INTEGER,
  label TEXT, at INTEGER NOT NULL, expires INTEGER, ended INTEGER, leaked INTEGER,
  may TEXT NOT NULL, origin TEXT NOT NULL, asset INTEGER, up_to, spent, replaced_by INTEGER, issued_by INTEGER);
CREATE INDEX token_owner ON token(owner, id);
CREATE INDEX token_leaked ON token(owner, id) WHERE leaked IS NOT NULL;
CREATE INDEX token_holder ON token(holder, id);
CREATE TABLE service(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL);
CREATE VIRTUAL TABLE agent_fts USING fts5(
  handle, description, skills, tags, content='', tokenize='ascii');
