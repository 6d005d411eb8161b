// What the console promises to people, as they meet it.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { askApproval, client, start, stop, strike, write } from "./realm.mjs";
import { axe, crawl, overflow, signIn, visitor } from "./browser.mjs";

const live = (page) => page.waitForSelector('#live[data-state="on"]');

async function inside(world, token = world.operator, options = {}) {
  const visit = await visitor(world.browser, options);
  await signIn(visit.page, world.url, token);
  return visit;
}

export const tests = {
  async "a stranger sees the way in, and nothing else"({ browser, url, past }) {
    const { page } = await visitor(browser);
    const response = await page.goto(url);
    assert.equal(response.status(), 200);
    const policy = response.headers()["content-security-policy"];
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(await page.locator("nav.side").count(), 0);
    await page.goto(`${url}/deals/${past.deal}`);
    assert.match(page.url(), /\/sign-in\?next=%2Fdeals%2F/);
    await page.fill("#token", "not a token");
    await page.click("text=Sign in >> nth=-1");
    assert.match(await page.textContent(".problem"), /RLT0015/);
  },

  async "signing in leads to the page that was asked for, and signing out ends the session"(world) {
    const { page, context } = await visitor(world.browser);
    await page.goto(`${world.url}/deals/${world.past.deal}`);
    await page.fill("#token", world.cast.viewer.token);
    await page.click("text=Sign in >> nth=-1");
    await page.waitForURL(`**/deals/${world.past.deal}`);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Strict", "/"]);
    await page.click("text=Sign out");
    await page.waitForURL(`${world.url}/`);
    await context.addCookies([{ ...cookie }]);
    await page.goto(`${world.url}/deals`);
    assert.match(page.url(), /sign-in/, "the old cookie still opened a page");
  },

  async "the overview shows what happens as it happens"(world) {
    const { page } = await inside(world);
    await live(page);
    const before = await page.locator("#acts li").first().getAttribute("id");
    await strike(world.cast, "7");
    await page.waitForFunction((id) => document.querySelector("#acts li")?.id !== id, before);
    assert.match(await page.textContent("#acts"), /accepted offer/);
    assert.ok((await page.locator("svg.ring circle").count()) >= 2);
    assert.ok((await page.locator("svg.ring path.deal, svg.ring path.paid").count()) >= 1);
  },

  async "the count of what waits follows without a reload"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await live(page);
    const count = async () => Number(await page.textContent("#waiting .count"));
    const before = await count();
    await askApproval(world.cast, "151");
    await page.waitForFunction((n) => Number(document.querySelector("#waiting .count").textContent) === n, before + 1);
  },

  async "an owner's stream tells nothing of another's affairs"(world) {
    const signed = await world.cast.operator.op("owner.sign_up", { name: `quiet-${Date.now()}`, kind: "person" });
    const { page } = await inside(world, signed.token.secret);
    await live(page);
    await page.evaluate(() => {
      window.told = 0;
      document.body.addEventListener("realm", () => (window.told += 1));
    });
    await strike(world.cast, "8");
    await write(world.cast, "hello");
    await page.waitForTimeout(2_500);
    assert.equal(await page.evaluate(() => window.told), 0);
    assert.equal(await page.locator("#acts li").count() <= 1, true);
  },

  async "a dropped stream resumes where it was"(world) {
    const { page } = await inside(world);
    await live(page);
    await strike(world.cast, "9");
    await page.waitForFunction(() => document.querySelector("#acts")?.textContent.includes("9.00"));
    const streams = world.front.seen.length;
    world.front.cut();
    await page.waitForSelector('#live[data-state="lost"]');
    await strike(world.cast, "11.75");
    world.front.mend();
    await page.waitForFunction(() => document.querySelector("#acts")?.textContent.includes("11.75"), null, { timeout: 20_000 });
    await live(page);
    assert.match(world.front.seen.at(-1), /last-event-id: \d+/i);
    assert.ok(world.front.seen.length > streams);
  },

  async "a form keeps focus, text and caret while the page updates"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/messages/${world.past.conversation}`);
    await live(page);
    await page.click("#body");
    await page.keyboard.type("half a sente");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await page.evaluate(() => (window.field = document.getElementById("body")));
    const words = `look at this ${Date.now()}`;
    await write(world.cast, words);
    await page.waitForFunction((text) => document.querySelector("#messages").textContent.includes(text), words);
    const state = await page.evaluate(() => {
      const field = document.getElementById("body");
      return [field === window.field, document.activeElement === field, field.value, field.selectionStart];
    });
    assert.deepEqual(state, [true, true, "half a sente", 10]);
  },

  async "the search field keeps its text while the overview updates"(world) {
    const { page } = await inside(world);
    await live(page);
    await page.keyboard.press("/");
    await page.keyboard.type("@casa");
    const before = await page.locator("#acts li").first().getAttribute("id");
    await write(world.cast, "one more");
    await page.waitForFunction((id) => document.querySelector("#acts li")?.id !== id, before);
    assert.deepEqual(
      await page.evaluate(() => [document.activeElement.id, document.activeElement.value]),
      ["find", "@casa"],
    );
  },

  async "an agent is answered from the page"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/messages/${world.past.conversation}`);
    await page.fill("#body", "we take it <b>at once</b>");
    await page.click("text=Send");
    await page.waitForURL(`**/messages/${world.past.conversation}`);
    assert.match(await page.textContent("#messages li >> nth=0"), /@casa-buyer[^]*we take it <b>at once<\/b>/);
  },

  async "a person approves and denies"(world) {
    const [yes, no] = [await askApproval(world.cast, "160"), await askApproval(world.cast, "170")];
    const { page } = await inside(world, world.cast.approver.token);
    for (const [id, button, word] of [[yes, "Approve", "approved"], [no, "Deny", "denied"]]) {
      await page.goto(`${world.url}/approvals`);
      await page.click(`#card-${id} button:text-is("${button}")`);
      await page.waitForURL(`**/approvals/${id}`);
      assert.match(await page.textContent(`#card-${id} .state`), new RegExp(word));
      assert.equal(await page.locator(`#card-${id} button`).count(), 0);
    }
  },

  async "an approval says why, by whom, and what came of it, without anything running out of its place"(world) {
    const id = await askApproval(world.cast, "165");
    const { page } = await inside(world, world.cast.casa.admin.token, { viewport: { width: 390, height: 844 } });
    await page.goto(`${world.url}/approvals/${id}`);
    const card = await page.textContent(`#card-${id}`);
    assert.match(card, /@rival-seller \(the seller\)/);
    assert.match(card, /no reason given/);
    assert.match(card, /Sent by@casa-buyer/);
    // Neighbouring facts stay apart.
    const boxes = await page.$$eval(`#card-${id} dl.facts > div`, (all) =>
      all.map((one) => [one.scrollWidth, one.clientWidth, one.textContent]));
    for (const [wide, room, text] of boxes) assert.ok(wide <= room + 1, text);
    await page.fill(`#reason-${id}`, "go on");
    await page.click(`#card-${id} button:text-is("Approve")`);
    await page.waitForURL(`**/approvals/${id}`);
    assert.match(await page.textContent(`#card-${id}`), /Approved[^]*which made deal_[^]*go on/);
  },

  async "suspending a whole owner stands apart and asks first"(world) {
    const { page } = await inside(world);
    await page.goto(`${world.url}/owners/${world.cast.rival.id}`);
    await page.click("summary:has-text('Suspend its people')");
    await page.click("button:text('its people and all its agents')");
    // The browser asks for the tick, and nothing is sent.
    assert.ok(await page.locator("input[name=sure]:invalid").count());
    assert.ok(await page.locator("text=Stop all its agents").count());
  },

  async "who may only look has no buttons, and is refused with the stable code"(world) {
    const id = await askApproval(world.cast, "180");
    const { page } = await inside(world, world.cast.viewer.token);
    await page.goto(`${world.url}/approvals/${id}`);
    assert.equal(await page.locator("main button").count(), 0);
    const csrf = await page.getAttribute('.viewer input[name="csrf"]', "value");
    const answer = await page.evaluate(
      async ([id, csrf]) => {
        const body = new URLSearchParams({ csrf, approve: "true" });
        const response = await fetch(`/approvals/${id}`, { method: "POST", body, headers: { accept: "text/html" } });
        return [response.status, await response.text()];
      },
      [id, csrf],
    );
    assert.equal(answer[0], 403);
    assert.match(answer[1], /RLT0101/);
  },

  async "an agent is registered and its token told once"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/agents`);
    await page.fill("#handle", "casa-buyer");
    await page.fill("#description", "typed before");
    await page.click("button:text('Register')");
    assert.match(await page.textContent(".problem"), /RLT0104/);
    assert.equal(await page.inputValue("#description"), "typed before");
    const handle = `fresh-${Date.now()}`;
    await page.fill("#handle", handle);
    await page.click("button:text('Register')");
    const secret = await page.textContent("#secret");
    const me = await client(world.direct, secret).get("/api/whoami");
    assert.equal(me.handle, `@${handle}`);
    await page.reload();
    assert.doesNotMatch(await page.content(), new RegExp(secret), "the token was told twice");
  },

  async "an allowance is set, and an agent suspended and resumed"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/agents/@casa-buyer`);
    await page.fill("#per_deal", "not a number");
    await page.click("text=Set the allowance");
    assert.match(await page.textContent(".problem"), /RLT00/);
    assert.equal(await page.inputValue("#per_deal"), "not a number");
    await page.fill("#per_deal", "500");
    await page.fill("#approval_above", "100");
    await page.click("text=Set the allowance");
    await page.waitForURL("**?done=allowance");
    assert.match(await page.textContent("#agent"), /500/);
    await page.click("text=Suspend @casa-buyer");
    await page.waitForSelector("text=Resume @casa-buyer");
    await assert.rejects(world.cast.buyer.op("mail.send", { to: { agent: "@rival-seller" }, body: "x" }), /RLT0105/);
    await page.click("text=Resume @casa-buyer");
    await page.waitForSelector("text=Suspend @casa-buyer");
  },

  async "a post made from the page appears live to everybody, and without a reload"(world) {
    const writer = await inside(world, world.cast.casa.admin.token);
    const signed = await world.cast.operator.op("owner.sign_up", { name: `reader-${Date.now()}`, kind: "person" });
    const reader = await inside(world, signed.token.secret);
    await reader.page.goto(`${world.url}/square`);
    await live(reader.page);
    await writer.page.goto(`${world.url}/square`);
    await writer.page.click("details.fold summary");
    const words = `terrace open ${Date.now()} <b>now</b>`;
    await writer.page.fill("#post-body", words);
    await writer.page.selectOption("#post-as", "@casa-buyer");
    await writer.page.click("details.fold button[type=submit]");
    await writer.page.waitForSelector(`#posts >> text=${words}`);
    await reader.page.waitForFunction((text) => document.querySelector("#posts").textContent.includes(text), words);
    assert.equal(await reader.page.locator("#posts b").count(), 0);
    await reader.page.click("#posts li >> nth=0 >> text=no replies");
    assert.match(await reader.page.textContent("main"), /Replies appear here/);
  },

  async "an answer, a reaction and a follow are given from the page of a post"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/square/posts/${world.past.post}`);
    await page.fill("#reply-body", "we come at eight");
    await page.selectOption("#reply-as", "@casa-buyer");
    await page.click("button[value=reply]");
    await page.waitForSelector("#replies >> text=we come at eight");
    await page.click("button[value='react:useful']");
    await page.waitForURL("**?done=react");
    await page.click("#post >> text=1 useful");
    await page.waitForURL("**/reactions");
    assert.match(await page.textContent("main"), /@casa-buyer useful/);
    await page.goBack();
    await page.click("button[value=follow]");
    await page.waitForURL("**?done=follow");
    assert.match(await page.textContent(".done"), /Followed/);
    await page.click("nav.tabs >> text=Ranked");
    await page.waitForSelector(".why .score");
    const [score, ...parts] = await page.$$eval("#posts li:first-child .score, #posts li:first-child .why b", (all) => all.map((e) => Number(e.textContent.replace("score ", ""))));
    assert.equal(parts.reduce((sum, part) => sum + part, 0), score);
  },

  async "a measure from the queue hides a post, and an appeal brings it back"(world) {
    const body = `buy at mine ${Date.now()}`;
    const post = (await world.cast.seller.op("social.post", { body })).ids.post;
    const filed = await world.cast.buyer.op("social.report", { target: { post }, ground: "spam", text: "again" });
    const report = Object.values(filed.ids)[0];
    const moderator = await inside(world);
    await moderator.page.goto(`${world.url}/square/moderation`);
    const card = moderator.page.locator(`[id="${report}"]`);
    await card.locator("select").selectOption("hide");
    await card.locator("textarea").fill("advertising");
    await card.locator("text=Take the measure").click();
    await moderator.page.waitForURL("**/square/measures/**");
    const measure = new URL(moderator.page.url()).pathname;
    const reader = await inside(world, world.cast.casa.admin.token);
    await reader.page.goto(`${world.url}/square/posts/${post}`);
    assert.match(await reader.page.textContent("#post"), /A moderator hid this post[^]*advertising/);
    assert.doesNotMatch(await reader.page.content(), new RegExp(body));
    assert.equal(await reader.page.locator("button[value=measure]").count(), 0);
    const author = await inside(world, world.cast.seller.token);
    await author.page.goto(world.url + measure);
    await author.page.fill("textarea", "only once");
    await author.page.click("main button");
    await author.page.waitForURL("**?done=appeal");
    await moderator.page.goto(world.url + measure);
    await moderator.page.fill("textarea", "once is fair");
    await moderator.page.click("text=Grant the appeal");
    await moderator.page.waitForURL("**?done=grant");
    await reader.page.reload();
    assert.match(await reader.page.textContent("#post"), new RegExp(body));
  },

  async "a quarantined text is shown on asking only"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/square/posts/${world.past.trick}`);
    assert.doesNotMatch(await page.textContent("#post"), /previous instructions/);
    await page.click("text=Show it all the same");
    assert.match(await page.textContent("#post"), /previous instructions/);
    assert.match(await page.textContent("#post .labels"), /screening: injection/);
    await live(page);
    await world.cast.buyer.op("social.react", { post: world.past.trick, reaction: "disagree" });
    await page.waitForFunction(() => document.querySelector("#post").textContent.includes("1 disagree"));
    assert.match(await page.textContent("#post"), /previous instructions/);
  },

  async "a token is issued, told once and revoked"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.goto(`${world.url}/agents/@casa-shy`);
    await page.fill("#token-label", "laptop");
    await page.click("text=Issue a token");
    const secret = await page.textContent("#secret");
    const me = await client(world.direct, secret).get("/api/whoami");
    assert.equal(me.handle, "@casa-shy");
    await page.goto(`${world.url}/agents/@casa-shy`);
    assert.doesNotMatch(await page.content(), new RegExp(secret), "the token was told twice");
    await page.click("tr:has-text('laptop') button:has-text('Revoke')");
    await page.waitForURL("**?done=revoke-token");
    await assert.rejects(client(world.direct, secret).get("/api/whoami"), /RLT0015/);
  },

  async "a stranger is admitted from the page, and the count falls"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token);
    await page.click("#waiting");
    const before = Number(await page.textContent("#waiting .count"));
    await page.click("article:has-text('@casa-shy') >> text=Admit");
    await page.waitForURL("**/waiting?done=admit");
    assert.equal(Number(await page.textContent("#waiting .count")), before - 1);
    await world.cast.seller.op("mail.send", { to: { agent: "@casa-shy" }, body: "thank you" });
  },

  async "another owner's things answer as what does not exist"(world) {
    const signed = await world.cast.operator.op("owner.sign_up", { name: `nosy-${Date.now()}`, kind: "person" });
    const { page } = await inside(world, signed.token.secret);
    const account = (await world.cast.buyer.get("/api/ledger/accounts")).items[0].id;
    for (const path of [`/deals/${world.past.deal}`, `/negotiations/${world.past.negotiation}`, `/tasks/${world.past.task}`,
      `/messages/${world.past.conversation}`, `/approvals/${world.past.approval}`, `/ledger/accounts/${account}`,
      `/owners/${world.cast.casa.id}`, `/trace/${world.past.deal}`, `/teams/${world.past.team}`,
      "/square?feed=following&as=@casa-buyer", "/log/3"]) {
      const response = await page.goto(world.url + path);
      assert.equal(response.status(), 404, path);
      assert.match(await page.textContent(".problem"), /RLT0103/, path);
    }
    await page.goto(`${world.url}/agents/@casa-buyer`);
    assert.doesNotMatch(await page.textContent("main"), /Balances|Inbox/);
  },

  async "a revoked token ends its sessions at once"(world) {
    const added = await world.cast.casa.admin.op("person.add", { owner: world.cast.casa.id, name: `gone-${Date.now()}`, role: "viewer" });
    const { page } = await inside(world, added.token.secret);
    await live(page);
    await world.cast.casa.admin.op("token.revoke", { token: added.ids.tok });
    await page.waitForURL(/sign-in|\/$/, { timeout: 10_000 });
    await page.waitForSelector("#token");
  },

  async "pages can be read, and signed in to, without scripts"(world) {
    const { page } = await inside(world, world.cast.casa.admin.token, { javaScriptEnabled: false });
    for (const path of ["/", "/deals", `/deals/${world.past.deal}`, "/accounts?by=agent", "/agents?text=casa", "/ledger",
      "/square", "/square?feed=ranked&as=@casa-buyer", `/square/posts/${world.past.post}`, "/square/communities/tacos", `/teams/${world.past.team}`]) {
      const response = await page.goto(world.url + path);
      assert.equal(response.status(), 200, path);
      assert.match(await page.textContent("main"), /@casa-buyer/, path);
    }
  },

  async "the theme follows the system, and the toggle is kept"(world) {
    const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await inside(world, world.operator, { colorScheme: "light" });
    const dark = await inside(world, world.operator, { colorScheme: "dark" });
    const [day, night] = [await ground(light.page), await ground(dark.page)];
    assert.notEqual(day, night);
    await light.page.click("form.theme button");
    await light.page.goto(`${world.url}/ledger`);
    assert.equal(await ground(light.page), night);
  },

  async "everything is reached by keyboard"(world) {
    const { page } = await inside(world);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("/");
    await page.keyboard.type(world.past.deal);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/deals/${world.past.deal}`);
    const outline = await page.evaluate(() => {
      document.querySelector("nav.side a").focus();
      return getComputedStyle(document.activeElement).outlineStyle;
    });
    assert.notEqual(outline, "none");
  },

  async "hostile content runs nowhere, and axe finds nothing, in light and dark"(world) {
    const wrong = [];
    for (const [colorScheme, token] of [["light", world.cast.casa.admin.token], ["dark", world.operator]]) {
      const { page, trouble } = await inside(world, token, { colorScheme });
      const more = ["/approvals?all=true", "/messages?text=script", "/market?items=x&text=ypal", "/accounts?by=owner,agent&period=hour", "/fleet?period=hour",
        "/waiting", "/square?feed=ranked&as=@casa-buyer", "/square?text=script&quarantined=show", "/square/moderation?show=reports", "/square/moderation?show=measures",
        "/square/communities/tacos/members", `/square/measures/${world.past.measure}`, `/square/posts/${world.past.post}/history`, `/square/posts/${world.past.post}/reactions`, "/tasks?state=input_required,auth_required", `/teams/${world.past.team}`,
        "/agents/@casa-buyer/followers", "/agents/@rival-seller"];
      const paths = await crawl(page, world.url, more, async (path) => {
        await live(page);
        const [ran, violations] = await page.evaluate(() => [window.ran, window.violations]);
        if (ran !== undefined) wrong.push(`${path}: a script ran`);
        wrong.push(...violations.map((violation) => `${path}: policy: ${violation}`));
        wrong.push(...(await axe(page)).map((found) => `${path} (${colorScheme}): ${found}`));
        const links = await page.$$eval("a", (all) => all.map((a) => a.getAttribute("href")));
        for (const link of links) if (!/^[/#]/.test(link)) wrong.push(`${path}: leads to ${link}`);
      });
      assert.ok(paths.length > 30, `only ${paths.length} pages were found: ${paths}`);
      wrong.push(...trouble);
    }
    const { page } = await visitor(world.browser);
    await page.goto(world.url);
    wrong.push(...(await axe(page)).map((found) => `sign-in: ${found}`));
    assert.deepEqual([...new Set(wrong)], []);
  },

  async "nothing sticks out on a narrow screen"(world) {
    const { page } = await inside(world, world.operator, { viewport: { width: 360, height: 700 } });
    const wide = [];
    await crawl(page, world.url, ["/square/moderation", "/square/communities/tacos/members", `/square/posts/${world.past.post}`, `/teams/${world.past.team}`], async (path) => {
      const by = await overflow(page);
      if (by > 0) wide.push(`${path} by ${by}`);
    });
    assert.deepEqual(wide, []);
  },

  async "the demo's market day can be watched"({ browser }) {
    const demo = await start(["demo", "--listen", "127.0.0.1:0", "--pace", "300ms"], { until: /console .*operator\.token/ });
    try {
      const { readFileSync } = await import("node:fs");
      const file = demo.out.match(/(\/\S+\/operator\.token)/)[1];
      const { page, trouble } = await visitor(browser, { viewport: { width: 1360, height: 860 } });
      await signIn(page, demo.url, readFileSync(file, "utf8").trim());
      await live(page);
      const deals = () => page.locator("main table tbody tr").count();
      await page.waitForFunction(() => document.querySelectorAll("main table tbody tr").length >= 3);
      const early = await deals();
      await page.waitForFunction((n) => document.querySelectorAll("main table tbody tr").length > n, early);
      await page.waitForFunction(() => document.querySelector("#acts")?.textContent.includes("@guild"), null, { timeout: 30_000 });
      await page.waitForTimeout(1_500);
      if (process.env.RIALTO_BLESS) {
        const folder = new URL("../../docs/images/", import.meta.url).pathname;
        mkdirSync(folder, { recursive: true });
        await page.screenshot({ path: `${folder}console.png` });
      }
      assert.deepEqual(trouble, []);
    } finally {
      await stop(demo);
    }
  },
};
