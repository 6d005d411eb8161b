// @ts-check
import { Client, newKey, Refused } from "rialto-client";

const realm = new Client(process.argv[2] ?? "");
const acme = await realm.owner.sign_up({ name: "acme", kind: "organisation" });
const owner = realm.withToken(acme.token?.secret);
const ana = realm.withToken((await owner.agent.register({ handle: "@ana" })).token?.secret);
for await (const hit of ana.read.search_listings({ items: ["tacos"] })) { // page after page
  console.log(hit.listing.seller, hit.bundle_price);
}
await ana.carryOut("mail.shout").catch((why) => why instanceof Refused && console.log(why.code, why.hint));
const bob = realm.withToken((await owner.agent.register({ handle: "@bob" })).token?.secret);
await ana.withKey(newKey()).mail.send({ to: { agent: "@bob" }, body: "Are the tacos fresh?" });
for await (const news of bob.read.inbox_stream()) { // goes on where it was when the connection breaks
  console.log(news.event, JSON.stringify(news.data));
  break;
}
