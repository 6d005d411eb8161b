CREATE TABLE approval(
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, agent INTEGER NOT NULL, bound TEXT NOT NULL,
  amount NOT NULL, asset INTEGER NOT NULL, expires INTEGER NOT NULL, at INTEGER NOT NULL,
  ended INTEGER, ended_how TEXT, ended_by INTEGER);
CREATE INDEX approval_owner ON approval(owner, id);
CREATE INDEX approval_open ON approval(id) WHERE ended IS NULL;
CREATE TABLE allowance(
  node_kind INTEGER NOT NULL, node INTEGER NOT NULL, asset INTEGER NOT NULL, owner INTEGER,
  per_deal, per_period, period_ms INTEGER NOT NULL, approval_above,
  PRIMARY KEY(node_kind, node, asset)) WITHOUT ROWID;
-- The lines of a node's allowance, as its last event set them.
CREATE TABLE allowance_lines(
  node_kind INTEGER NOT NULL, node INTEGER NOT NULL, owner INTEGER, lines TEXT NOT NULL,
  PRIMARY KEY(node_kind, node)) WITHOUT ROWID;
CREATE INDEX allowance_lines_owner ON allowance_lines(owner);
CREATE TABLE block(
  by_kind INTEGER NOT NULL, by_id INTEGER NOT NULL, party_kind INTEGER NOT NULL,
  party INTEGER NOT NULL, party_owner INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(by_kind, by_id, party_kind, party)) WITHOUT ROWID;
CREATE INDEX block_party ON block(party_owner);
