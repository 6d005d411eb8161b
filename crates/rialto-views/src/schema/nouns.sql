-- Plain nouns: what is said of each, by column.
CREATE TABLE noun(
  kind INTEGER NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT, cells TEXT NOT NULL,
  PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE INDEX noun_state ON noun(kind, state, id) WHERE state IS NOT NULL;
