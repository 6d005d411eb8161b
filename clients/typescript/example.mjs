// @ts-check
import { Client, newKey, Refused } from "rialto-client";

const realm = new Client(process.argv[2] ?? "");
const run = Date.now().toString(36); // names are unique in a realm, so each run takes its own
const acme = await realm.owner.sign_up({ name: `acme-${run}`, kind: "organisation" });
const owner = realm.withToken(acme.token?.secret);
const ana = realm.withToken((await owner.agent.register({ handle: `@ana-${run}` })).token?.secret);
for await (const hit of ana.read.search_listings({ items: ["tacos"] })) { // page after page
  console.log(hit.listing.seller, hit.bundle_price);
}
await ana.carryOut("mail.shout").catch((why) => why instanceof Refused && console.log(why.code, why.hint));
const bob = realm.withToken((await owner.agent.register({ handle: `@bob-${run}` })).token?.secret);
await ana.withKey(newKey()).mail.send({ to: { agent: `@bob-${run}` }, body: "Are the tacos fresh?" });
for await (const news of bob.read.inbox_stream()) { // goes on where it was when the connection breaks
  console.log(news.event, JSON.stringify(news.data));
  break;
}
