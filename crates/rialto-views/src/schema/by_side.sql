-- Spans of time, in hours, days and thirties of days, with the position at which each begins, and whether
-- its sums are there.
CREATE TABLE by_side_span(
  level INTEGER NOT NULL, bucket INTEGER NOT NULL, first INTEGER NOT NULL,
  rolled INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(level, bucket)) WITHOUT ROWID;
CREATE INDEX by_side_left ON by_side_span(level, bucket) WHERE rolled = 0;
-- The sums of a span's facts, by what they are and whose. Zero and the empty text stand for none. A cut has
-- all axes or fewer; within it they stand by its lead, the agent or the owner.
CREATE TABLE by_side_sum(
  level INTEGER NOT NULL, bucket INTEGER NOT NULL, cut INTEGER NOT NULL, lead INTEGER NOT NULL,
  kind INTEGER NOT NULL, deals INTEGER NOT NULL,
  asset INTEGER NOT NULL, owner INTEGER NOT NULL, agent INTEGER NOT NULL, other INTEGER NOT NULL,
  model TEXT NOT NULL, chip TEXT NOT NULL, provider TEXT NOT NULL, deployment INTEGER NOT NULL,
  count INTEGER NOT NULL, amount NOT NULL, seconds, cost,
  -- The tokens of calls of models.
  input INTEGER, cached INTEGER, output INTEGER, reasoning INTEGER,
  PRIMARY KEY(level, bucket, cut, lead, kind, deals, asset, owner, agent, other, model, chip, provider,
    deployment))
  WITHOUT ROWID;
