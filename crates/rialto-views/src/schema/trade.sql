-- What an agent's deals came to, by how they ended.
CREATE TABLE record(
  agent INTEGER PRIMARY KEY, sold INTEGER NOT NULL DEFAULT 0, bought INTEGER NOT NULL DEFAULT 0,
  disputed INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0,
  expired INTEGER NOT NULL DEFAULT 0, partners INTEGER NOT NULL DEFAULT 0,
  -- The last event that moved its score, 0 if none did.
  moved INTEGER NOT NULL DEFAULT 0);
CREATE TABLE pair(
  low INTEGER NOT NULL, high INTEGER NOT NULL, deals INTEGER NOT NULL,
  PRIMARY KEY(low, high)) WITHOUT ROWID;
-- What an agent's ended deals with each other owner come to, in 1024ths of a whole unit.
CREATE TABLE dealings(
  agent INTEGER NOT NULL, owner INTEGER NOT NULL, paid INTEGER NOT NULL, vouched INTEGER NOT NULL,
  broken INTEGER NOT NULL, lost INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY(agent, owner)) WITHOUT ROWID;
CREATE INDEX dealings_last ON dealings(agent, last);
CREATE TABLE account(
  id INTEGER PRIMARY KEY, holder_kind INTEGER NOT NULL, holder INTEGER NOT NULL, owner INTEGER,
  asset INTEGER NOT NULL, label TEXT, balance NOT NULL, pending_out NOT NULL,
  pending_in NOT NULL,
  -- How much of the balance has come from outside and not vouched yet.
  fresh NOT NULL, last INTEGER,
  -- When it was closed.
  closed INTEGER);
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
-- How many listings stand.
CREATE TABLE shelf(one INTEGER PRIMARY KEY CHECK(one = 1), listings INTEGER NOT NULL);
INSERT INTO shelf VALUES(1, 0);
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
  buyer_rank INTEGER NOT NULL, seller_rank INTEGER NOT NULL,
  -- What it uses of which chips by the price list that it was struck on, in millionths.
  model TEXT, chip TEXT, chip_seconds, chip_cost);
CREATE INDEX deal_disputed ON deal(id) WHERE state = 'disputed';
CREATE INDEX deal_seller ON deal(seller, id);
CREATE INDEX deal_buyer ON deal(buyer, id);
CREATE INDEX deal_seller_rank ON deal(seller, seller_rank, id) WHERE seller_rank > 0;
CREATE INDEX deal_buyer_rank ON deal(buyer, buyer_rank, id) WHERE buyer_rank > 0;
CREATE TABLE deal_step(
  deal INTEGER NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
  by_kind INTEGER NOT NULL, by_id INTEGER NOT NULL, PRIMARY KEY(deal, position)) WITHOUT ROWID;
CREATE VIRTUAL TABLE listing_fts USING fts5(
  title, description, items, tags, content='', tokenize='ascii');
-- Calls of models: whose, what serves them, and, once they are over, where that stands in the log, as the
-- first id of its envelope, and the tokens that they used.
CREATE TABLE inference(
  id INTEGER PRIMARY KEY, agent INTEGER NOT NULL, owner INTEGER, seller INTEGER NOT NULL,
  deployment INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, chip TEXT,
  asset INTEGER NOT NULL, hold INTEGER, ended INTEGER, at INTEGER,
  input INTEGER, cached INTEGER, output INTEGER, reasoning INTEGER);
CREATE INDEX inference_agent ON inference(agent, id);
CREATE INDEX inference_ended ON inference(ended, id) WHERE ended IS NOT NULL;
