-- Facts that never change once they are there, which every fold may read at any position: whose an
-- owner, person, team, agent, service or token is, what an asset is, whose an account is.
CREATE TABLE kin(
  kind INTEGER NOT NULL, id INTEGER NOT NULL, owner INTEGER, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE TABLE asset(
  id INTEGER PRIMARY KEY, code TEXT NOT NULL, scale INTEGER NOT NULL, issuance INTEGER NOT NULL,
  outside INTEGER NOT NULL);
CREATE TABLE holder(
  account INTEGER PRIMARY KEY, kind INTEGER NOT NULL, holder INTEGER NOT NULL, owner INTEGER);
