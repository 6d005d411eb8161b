CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK(one = 1), position INTEGER NOT NULL, at INTEGER NOT NULL,
  listings INTEGER NOT NULL, realm TEXT);
INSERT INTO meta VALUES(1, 0, 0, 0, NULL);

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

-- The only place of texts besides the full-text indexes. Erased ones keep their row without bytes.
CREATE TABLE content(
  id INTEGER PRIMARY KEY, labels INTEGER NOT NULL, use_kind INTEGER NOT NULL,
  use_id INTEGER NOT NULL, screen INTEGER NOT NULL, bytes BLOB);

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

-- Plain nouns: what is said of each, by column.
CREATE TABLE noun(
  kind INTEGER NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL, state TEXT, cells TEXT NOT NULL,
  PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE INDEX noun_state ON noun(kind, state, id) WHERE state IS NOT NULL;

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
  profile TEXT NOT NULL, at INTEGER NOT NULL, sold INTEGER NOT NULL DEFAULT 0,
  bought INTEGER NOT NULL DEFAULT 0, disputed INTEGER NOT NULL DEFAULT 0,
  refunded INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0,
  partners INTEGER NOT NULL DEFAULT 0,
  -- The last event that moved its score, 0 if none did.
  moved INTEGER NOT NULL DEFAULT 0,
  -- The older agent that its handle is an edit from, or reads as.
  resembles INTEGER,
  -- What screening says of its skills, tags and prices.
  screen INTEGER NOT NULL DEFAULT 0);
CREATE INDEX agent_owner ON agent(owner, id);
CREATE TABLE agent_term(
  kind INTEGER NOT NULL, key TEXT NOT NULL, agent INTEGER NOT NULL,
  PRIMARY KEY(kind, key, agent)) WITHOUT ROWID;
CREATE INDEX agent_term_agent ON agent_term(agent);
CREATE TABLE pair(
  low INTEGER NOT NULL, high INTEGER NOT NULL, deals INTEGER NOT NULL,
  PRIMARY KEY(low, high)) WITHOUT ROWID;
-- What an agent's ended deals with each other owner come to, in 1024ths of a whole unit.
CREATE TABLE dealings(
  agent INTEGER NOT NULL, owner INTEGER NOT NULL, paid INTEGER NOT NULL, vouched INTEGER NOT NULL,
  broken INTEGER NOT NULL, lost INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY(agent, owner)) WITHOUT ROWID;
CREATE INDEX dealings_last ON dealings(agent, last);
CREATE TABLE token(
  id INTEGER PRIMARY KEY, holder_kind INTEGER NOT NULL, holder INTEGER NOT NULL, owner INTEGER,
  label TEXT, at INTEGER NOT NULL, expires INTEGER, ended INTEGER, leaked INTEGER,
  may TEXT NOT NULL, origin TEXT NOT NULL, asset INTEGER, up_to, spent, replaced_by INTEGER, issued_by INTEGER);
CREATE INDEX token_owner ON token(owner, id);
CREATE INDEX token_leaked ON token(owner, id) WHERE leaked IS NOT NULL;
CREATE INDEX token_holder ON token(holder, id);
CREATE TABLE service(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL);

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

CREATE TABLE asset(
  id INTEGER PRIMARY KEY, code TEXT NOT NULL, scale INTEGER NOT NULL, issuance INTEGER NOT NULL,
  outside INTEGER NOT NULL);
CREATE TABLE account(
  id INTEGER PRIMARY KEY, holder_kind INTEGER NOT NULL, holder INTEGER NOT NULL, owner INTEGER,
  asset INTEGER NOT NULL, label TEXT, balance NOT NULL, pending_out NOT NULL,
  pending_in NOT NULL,
  -- How much of the balance has come from outside and not vouched yet.
  fresh NOT NULL, last INTEGER);
CREATE INDEX account_owner ON account(owner, id) WHERE owner IS NOT NULL;
CREATE INDEX account_holder ON account(holder, id);
CREATE TABLE entry(
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, debit INTEGER NOT NULL,
  credit INTEGER NOT NULL, amount NOT NULL, asset INTEGER NOT NULL, purpose INTEGER NOT NULL,
  purpose_id INTEGER NOT NULL, hold INTEGER, by_kind INTEGER NOT NULL, by_id INTEGER NOT NULL,
  memo INTEGER, reference TEXT,
  -- Either account as the entry left it, and the entry before on that account: an account's entries
  -- are a chain from account.last, so that new ones are only ever appended.
  debit_balance NOT NULL, debit_out NOT NULL, debit_prev INTEGER,
  credit_balance NOT NULL, credit_out NOT NULL, credit_prev INTEGER);
CREATE TABLE hold(
  id INTEGER PRIMARY KEY, debit INTEGER NOT NULL, credit INTEGER NOT NULL, amount NOT NULL,
  asset INTEGER NOT NULL, purpose INTEGER NOT NULL, purpose_id INTEGER NOT NULL,
  at INTEGER NOT NULL, expires INTEGER, ended INTEGER, posted, captured NOT NULL);
CREATE INDEX hold_ended ON hold(ended, id);
-- What is held still after each entry that captured from a hold or raised it.
CREATE TABLE hold_step(
  hold INTEGER NOT NULL, entry INTEGER NOT NULL, rest NOT NULL,
  PRIMARY KEY(hold, entry)) WITHOUT ROWID;

CREATE TABLE listing(
  id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, title TEXT NOT NULL, description INTEGER,
  terms TEXT NOT NULL, asset TEXT NOT NULL, withdrawn INTEGER NOT NULL, at INTEGER NOT NULL,
  -- What screening says of its names.
  screen INTEGER NOT NULL DEFAULT 0);
CREATE INDEX listing_agent ON listing(agent, id);
-- Names of items (kind 0), attributes (1) and tags (2) by their key, with how many listings have it.
CREATE TABLE term(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key TEXT NOT NULL, listings INTEGER NOT NULL,
  UNIQUE(kind, key));
CREATE TABLE listing_term(
  term INTEGER NOT NULL, listing INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
  price BLOB, PRIMARY KEY(term, listing, number)) WITHOUT ROWID;
CREATE INDEX listing_term_listing ON listing_term(listing);
CREATE TABLE call(
  id INTEGER PRIMARY KEY, buyer INTEGER NOT NULL, body INTEGER NOT NULL, wanted TEXT NOT NULL,
  attributes TEXT NOT NULL, public INTEGER NOT NULL, deadline INTEGER NOT NULL, task INTEGER,
  state TEXT NOT NULL, revealed INTEGER NOT NULL, at INTEGER NOT NULL,
  since INTEGER NOT NULL);
CREATE TABLE invite(
  call INTEGER NOT NULL, agent INTEGER NOT NULL, number INTEGER NOT NULL,
  refused INTEGER NOT NULL, negotiation INTEGER, PRIMARY KEY(call, agent)) WITHOUT ROWID;
CREATE TABLE negotiation(
  id INTEGER PRIMARY KEY, buyer INTEGER NOT NULL, seller INTEGER NOT NULL, call INTEGER,
  listing INTEGER, task INTEGER, state TEXT NOT NULL, offers INTEGER NOT NULL, deal INTEGER,
  at INTEGER NOT NULL, since INTEGER NOT NULL);
CREATE INDEX negotiation_call ON negotiation(call, id) WHERE call IS NOT NULL;
CREATE TABLE offer(
  negotiation INTEGER NOT NULL, number INTEGER NOT NULL, author INTEGER NOT NULL,
  hash BLOB NOT NULL, price NOT NULL, asset INTEGER NOT NULL, expires INTEGER NOT NULL,
  terms TEXT NOT NULL, note INTEGER, signed INTEGER NOT NULL, at INTEGER NOT NULL,
  position INTEGER NOT NULL, hold INTEGER, PRIMARY KEY(negotiation, number)) WITHOUT ROWID;
CREATE TABLE deal(
  id INTEGER PRIMARY KEY, negotiation INTEGER NOT NULL, buyer INTEGER NOT NULL,
  seller INTEGER NOT NULL, arbiter INTEGER, payee_team INTEGER, offer BLOB NOT NULL,
  price NOT NULL, asset INTEGER NOT NULL, hold INTEGER NOT NULL, task INTEGER NOT NULL,
  state TEXT NOT NULL, ended_why TEXT, paid, returned, reason INTEGER, dispute INTEGER,
  terms TEXT NOT NULL, at INTEGER NOT NULL, since INTEGER NOT NULL,
  -- How much of the payment vouched for the buyer and for the seller.
  buyer_vouched NOT NULL, seller_vouched NOT NULL,
  -- Its place among the deals of each by what it weighs, whenever that is asked; 0 weighs nothing.
  buyer_rank INTEGER NOT NULL, seller_rank INTEGER NOT NULL);
CREATE INDEX deal_disputed ON deal(id) WHERE state = 'disputed';
CREATE INDEX deal_seller ON deal(seller, id);
CREATE INDEX deal_buyer ON deal(buyer, id);
CREATE INDEX deal_seller_rank ON deal(seller, seller_rank, id) WHERE seller_rank > 0;
CREATE INDEX deal_buyer_rank ON deal(buyer, buyer_rank, id) WHERE buyer_rank > 0;
CREATE TABLE deal_step(
  deal INTEGER NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
  by_kind INTEGER NOT NULL, by_id INTEGER NOT NULL, PRIMARY KEY(deal, position)) WITHOUT ROWID;
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
CREATE INDEX block_party ON block(party_owner);

CREATE VIRTUAL TABLE message_fts USING fts5(
  body, content='', detail=full, tokenize='ascii');
CREATE VIRTUAL TABLE listing_fts USING fts5(
  title, description, items, tags, content='', tokenize='ascii');
CREATE VIRTUAL TABLE agent_fts USING fts5(
  handle, description, skills, tags, content='', tokenize='ascii');
