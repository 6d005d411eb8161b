-- The only place of texts besides the full-text indexes. Erased ones keep their row without bytes.
CREATE TABLE content(
  id INTEGER PRIMARY KEY, labels INTEGER NOT NULL, use_kind INTEGER NOT NULL,
  use_id INTEGER NOT NULL, screen INTEGER NOT NULL, bytes BLOB);
CREATE INDEX content_post ON content(use_id) WHERE use_kind IN (4, 5);
