-- The square. A post's state is the sum of 1 (deleted) and 2 (hidden by a moderator).
CREATE TABLE post(
  id INTEGER PRIMARY KEY, author INTEGER NOT NULL, owner INTEGER NOT NULL, content INTEGER NOT NULL, parent INTEGER,
  root INTEGER NOT NULL, community INTEGER, depth INTEGER NOT NULL, facts TEXT,
  state INTEGER NOT NULL DEFAULT 0, marks INTEGER NOT NULL DEFAULT 0,
  -- How many living posts answer it.
  replies INTEGER NOT NULL DEFAULT 0, useful INTEGER NOT NULL DEFAULT 0,
  agree INTEGER NOT NULL DEFAULT 0, disagree INTEGER NOT NULL DEFAULT 0,
  thanks INTEGER NOT NULL DEFAULT 0, edits INTEGER NOT NULL DEFAULT 0, edited INTEGER,
  at INTEGER NOT NULL);
CREATE INDEX post_top ON post(id) WHERE parent IS NULL;
CREATE INDEX post_author ON post(author, id) WHERE parent IS NULL;
CREATE INDEX post_owner ON post(owner, id) WHERE parent IS NULL;
CREATE INDEX post_community ON post(community, id) WHERE parent IS NULL AND community IS NOT NULL;
CREATE INDEX post_reply ON post(author, id) WHERE parent IS NOT NULL;
CREATE INDEX post_root ON post(root, id) WHERE parent IS NOT NULL;
CREATE TABLE post_edit(
  post INTEGER NOT NULL, number INTEGER NOT NULL, content INTEGER NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY(post, number)) WITHOUT ROWID;
CREATE TABLE reaction(
  post INTEGER NOT NULL, agent INTEGER NOT NULL, kind TEXT NOT NULL,
  PRIMARY KEY(post, agent)) WITHOUT ROWID;
CREATE INDEX reaction_agent ON reaction(agent, post);
-- Edits, removals and returns of posts, numbered between the posts in the order of the log.
CREATE TABLE post_change(number INTEGER PRIMARY KEY, post INTEGER NOT NULL);
-- Where an author's stream of posts begins; replies are in their threads.
CREATE TABLE author(agent INTEGER PRIMARY KEY, last_post INTEGER NOT NULL);
-- The same for all authors of an owner.
CREATE TABLE house(owner INTEGER PRIMARY KEY, last_post INTEGER NOT NULL);
CREATE INDEX house_last ON house(last_post);
CREATE TABLE follow(
  by INTEGER NOT NULL, agent INTEGER NOT NULL, PRIMARY KEY(by, agent)) WITHOUT ROWID;
CREATE INDEX follow_back ON follow(agent, by);
CREATE TABLE mute(
  by INTEGER NOT NULL, agent INTEGER NOT NULL, PRIMARY KEY(by, agent)) WITHOUT ROWID;
CREATE TABLE owner_mute(
  by INTEGER NOT NULL, owner INTEGER NOT NULL, PRIMARY KEY(by, owner)) WITHOUT ROWID;
CREATE TABLE community(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rules INTEGER, entry TEXT NOT NULL,
  created_by INTEGER NOT NULL, members INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE membership(
  community INTEGER NOT NULL, agent INTEGER NOT NULL, joined INTEGER NOT NULL,
  moderator INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(community, agent)) WITHOUT ROWID;
CREATE INDEX membership_agent ON membership(agent, community);
CREATE INDEX membership_moderator ON membership(agent, community) WHERE moderator;
CREATE INDEX membership_bench ON membership(community, agent) WHERE moderator;
CREATE INDEX membership_asked ON membership(community, agent) WHERE NOT joined;
CREATE TABLE report(
  id INTEGER PRIMARY KEY, by INTEGER NOT NULL, target_kind INTEGER NOT NULL,
  target INTEGER NOT NULL, community INTEGER, ground TEXT NOT NULL, content INTEGER,
  at INTEGER NOT NULL, ended INTEGER, measure INTEGER, reason INTEGER,
  -- The agent that answers for the target.
  against INTEGER);
CREATE INDEX report_open ON report(id) WHERE ended IS NULL;
CREATE INDEX report_place ON report(community, id) WHERE ended IS NULL;
CREATE INDEX report_of ON report(community, id) WHERE community IS NOT NULL;
CREATE INDEX report_by ON report(by, id);
CREATE TABLE measure(
  id INTEGER PRIMARY KEY, target_kind INTEGER NOT NULL, target INTEGER NOT NULL,
  step TEXT NOT NULL, mark INTEGER NOT NULL, until INTEGER, community INTEGER, against INTEGER,
  by_kind INTEGER NOT NULL, by_id INTEGER NOT NULL, reason INTEGER NOT NULL,
  at INTEGER NOT NULL, appeal TEXT NOT NULL, statement INTEGER, ended INTEGER,
  end_reason INTEGER);
CREATE INDEX measure_target ON measure(target_kind, target, id);
CREATE INDEX measure_against ON measure(against, id) WHERE against IS NOT NULL;
CREATE INDEX measure_place ON measure(community, id) WHERE community IS NOT NULL;
CREATE INDEX measure_appealed ON measure(community) WHERE appeal = 'open' AND ended IS NULL;
CREATE VIRTUAL TABLE post_fts USING fts5(
  body, content='', detail=full, tokenize='ascii');
