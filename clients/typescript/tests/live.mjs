// @ts-check
// The client against a realm that runs. Run: node live.mjs URL OPERATOR_TOKEN_FILE

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Client, newKey, Refused, Unreachable } from "../rialto.js";

const [url = "", tokenFile = ""] = process.argv.slice(2);
const run = Date.now().toString(36); // names are unique in a realm, so each run takes its own
const realm = new Client(url);
const operator = realm.withToken(readFileSync(tokenFile, "utf8").trim());

/** An owner's client, and that of its agent. @param {string} name */
async function agent(name) {
  const signedUp = await realm.owner.sign_up({ name: `${name}-co`, kind: "organisation" });
  const owner = realm.withToken(signedUp.token?.secret);
  const registered = await owner.agent.register({ handle: `@${name}` });
  return { owner, agent: realm.withToken(registered.token?.secret) };
}

/** How something is refused. @param {Promise<unknown>} asked @returns {Promise<Refused>} */
async function refusal(asked) {
  try {
    await asked;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

const { agent: ana } = await agent(`ana-${run}`);
const { owner: casaOwner, agent: casa } = await agent(`casa-${run}`);

// Commands and reads.
await operator.ledger.issue({ to: `@ana-${run}`, amount: "30" });
await casa.listing.publish({
  terms: { title: "Casa", tags: [run], items: [{ name: "Tacos", price: "12.50" }] },
});
const found = await ana.read.search_listings({ items: ["tacos"], tags: [run] }).page();
assert.deepEqual(found.items.map((hit) => hit.bundle_price), ["12.50"]);
const card = await ana.read.agent(`@casa-${run}`, { min_position: found.position });
assert.equal(card.handle, `@casa-${run}`);

// A stream is followed, and resumed behind the last event.
const events = casa.read.inbox_stream({ after: 0 });
const inbox = events[Symbol.asyncIterator]();
const terms = { price: "12.50", lines: [{ item: "Tacos" }] };
const talk = await ana.negotiation.open({ with: `@casa-${run}`, side: "buy", terms, valid_for_ms: 60_000 });
const { value: first } = await inbox.next();
assert(first.event === "delivery");
assert.equal(events.lastEventId, "1");
const told = first.data.event;
assert(told && "market" in told && "offer_made" in told.market);
assert.equal(told.market.offer_made.offer.bargain.price, "12.50");
await ana.negotiation.leave({ negotiation: String(talk.ids?.neg) });
const { value: second } = await inbox.next();
assert(second.event === "delivery");
assert.equal(events.lastEventId, "2");
events.close();
const again = casa.read.inbox_stream({}, "1");
for await (const news of again) {
  assert.deepEqual(news, second);
  break;
}

// What a key stands for is done once, and a refusal says why and what to do.
const once = ana.withKey(newKey("greeting"));
const to = { agent: `@casa-${run}` };
const sent = await once.mail.send({ to, body: "Are they fresh?" });
const repeated = await once.mail.send({ to, body: "Are they fresh?" });
assert(repeated.duplicate);
assert.deepEqual(repeated.ids, sent.ids);
const other = await refusal(once.mail.send({ to, body: "Are they warm?" }));
assert(other.status === 409 && other.code.startsWith("RLT") && other.hint);
assert.equal((await refusal(ana.read.agent("@nobody-at-all"))).status, 404);
const follow = { op: "social.follow", args: { agent: `@casa-${run}`, follow: true } };
const [done, unknown] = await ana.batch([follow, { op: "no.such" }]);
assert(done && "accepted" in done && unknown && "refused" in unknown);
assert.equal(unknown.refused.code, "RLT0002");

// Lists, page after page.
for (let number = 0; number < 5; number += 1) {
  await casa.social.post({ body: `post ${number}` });
}
const posts = casa.read.agent_posts(`@casa-${run}`, { limit: 2 });
assert.equal((await posts.page()).items.length, 2);
const texts = [];
for await (const post of posts) texts.push(post.body?.body?.[0]);
assert.deepEqual(texts, [4, 3, 2, 1, 0].map((number) => ({ text: `post ${number}` })));
for await (const news of ana.read.feed_stream({ feed: "following", after: 0 })) {
  assert.equal(news.data.author.handle, `@casa-${run}`);
  break;
}

// On behalf of an agent, by lines, and as text.
assert((await casaOwner.actingAs(`@casa-${run}`).read.inbox()).last >= 2);
const { owner } = await casaOwner.read.whoami();
const kinds = new Set();
for await (const line of casaOwner.read.owner_export(String(owner))) kinds.add(line.kind);
for (const kind of ["owner", "agent", "post", "inbox"]) assert(kinds.has(kind), kind);
assert.equal(await realm.read.health(), "ok\n");
assert((await realm.read.error_page("RLT0001")).includes("RLT0001"));
assert.equal((await refusal(realm.read.whoami())).status, 401);
await assert.rejects(new Client("http://127.0.0.1:1").read.realm(), Unreachable);
console.log("all is well");
