-- The log, one row an envelope in its stored form.
CREATE TABLE event(
  position INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor INTEGER, owner INTEGER,
  envelope BLOB NOT NULL);
CREATE INDEX event_actor ON event(actor, position) WHERE actor IS NOT NULL;
CREATE INDEX event_owner ON event(owner, position) WHERE owner IS NOT NULL;
CREATE TABLE event_kind(
  kind TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(kind, position)) WITHOUT ROWID;
-- Whom an envelope concerns: agents and owners by number.
CREATE TABLE concern(
  viewer INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(viewer, position)) WITHOUT ROWID;
-- Who may see what: agents and owners by number, things by kind and number.
CREATE TABLE seen(
  viewer INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY(viewer, kind, id)) WITHOUT ROWID;
CREATE INDEX seen_thing ON seen(kind, id, viewer);
-- Cause and effect, and later events about a thing (its first is told by its number).
CREATE TABLE link(
  from_kind INTEGER NOT NULL, from_id INTEGER NOT NULL, to_kind INTEGER NOT NULL,
  to_id INTEGER NOT NULL, how TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY(from_kind, from_id, to_kind, to_id)) WITHOUT ROWID;
CREATE INDEX link_back ON link(to_kind, to_id);
-- Causes that were named but are not there for who named them: that they exist for others is not told.
CREATE TABLE gap(
  kind INTEGER NOT NULL, id INTEGER NOT NULL, cause_kind INTEGER NOT NULL, cause INTEGER NOT NULL,
  PRIMARY KEY(kind, id, cause_kind, cause)) WITHOUT ROWID;
CREATE TABLE touch(
  kind INTEGER NOT NULL, id INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY(kind, id, position)) WITHOUT ROWID;

-- What it takes to know who is party to a thing at a position: copies of facts of other domains.
-- The members of a team; those that are only invited have not joined.
CREATE TABLE crew(
  team INTEGER NOT NULL, agent INTEGER NOT NULL, joined INTEGER NOT NULL,
  PRIMARY KEY(team, agent)) WITHOUT ROWID;
-- What a member of a conversation was sent: messages with low <= id < high.
CREATE TABLE sent_to(
  conversation INTEGER NOT NULL, agent INTEGER NOT NULL, low INTEGER NOT NULL,
  high INTEGER NOT NULL, PRIMARY KEY(conversation, agent, low)) WITHOUT ROWID;
-- The members of a community that moderate it.
CREATE TABLE bench(
  community INTEGER NOT NULL, agent INTEGER NOT NULL, PRIMARY KEY(community, agent)) WITHOUT ROWID;
CREATE TABLE withdrawn(listing INTEGER PRIMARY KEY);
