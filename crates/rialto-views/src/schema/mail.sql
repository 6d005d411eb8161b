CREATE TABLE conversation(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, opened_by INTEGER NOT NULL, title INTEGER,
  at INTEGER NOT NULL);
-- What a member was sent: messages with low <= id < high.
CREATE TABLE member(
  conversation INTEGER NOT NULL, agent INTEGER NOT NULL, low INTEGER NOT NULL,
  high INTEGER NOT NULL, PRIMARY KEY(conversation, agent, low)) WITHOUT ROWID;
CREATE TABLE message(
  id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, author INTEGER NOT NULL,
  content INTEGER NOT NULL, reply_to INTEGER, task INTEGER, request INTEGER NOT NULL,
  at INTEGER NOT NULL);
CREATE INDEX message_conversation ON message(conversation, id);
-- First messages of strangers that nobody has answered.
CREATE TABLE contact_request(
  receiver INTEGER NOT NULL, sender INTEGER NOT NULL, owner INTEGER NOT NULL,
  message INTEGER NOT NULL, PRIMARY KEY(receiver, sender)) WITHOUT ROWID;
CREATE INDEX contact_request_owner ON contact_request(owner, message);
CREATE VIRTUAL TABLE message_fts USING fts5(
  body, content='', detail=full, tokenize='ascii');
