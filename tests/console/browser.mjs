// The browser, a proxy whose connections can be cut, and what tests look at on a page.

import { createServer, connect } from "node:net";
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Containers run as root and have no user namespaces.
    args: ["--no-sandbox"],
  });

/** A proxy in front of a server: cut() drops every connection and refuses new ones until mend(). */
export async function proxy(target) {
  const { hostname, port } = new URL(target);
  const sockets = new Set();
  const seen = [];
  let refuse = false;
  const server = createServer((near) => {
    if (refuse) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => {
      const head = bytes.toString("latin1");
      if (head.startsWith("GET /live")) seen.push(head);
    });
    near.pipe(far).pipe(near);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** The heads of the requests for the live stream. */
    seen,
    cut() {
      refuse = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      refuse = false;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A page of its own context, watched for scripts that should not run and for broken policy. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const trouble = [];
  if (options.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
  }
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { context, page, trouble };
}

/** Signs in and lands on the overview. */
export async function signIn(page, url, token) {
  await page.goto(`${url}/sign-in`);
  await page.fill("#token", token);
  await page.click("text=Sign in >> nth=-1");
  await page.waitForSelector("nav.side");
}

/** What axe finds on a page. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return found.violations.map((violation) => {
    const nodes = violation.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} (${node.failureSummary.replaceAll("\n", " ").slice(0, 200)})`);
    return `${violation.id}: ${nodes.join(" | ")}`;
  });
}

/** How far a page is wider than its window. */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Looks at the pages reached by links from the overview, at most two of each kind. */
export async function crawl(page, url, more, look) {
  const kind = (path) => path.replace(/[a-z]+_[0-9a-z]{12}/g, "ID").replace(/@[^/?]+/, "AGENT").replace(/\d+/g, "N");
  const [waiting, found, kinds] = [["/", ...more], [], new Map()];
  while (waiting.length) {
    const path = waiting.shift();
    if (found.includes(path) || (kinds.get(kind(path)) ?? 0) >= 2) continue;
    kinds.set(kind(path), (kinds.get(kind(path)) ?? 0) + 1);
    const response = await page.goto(url + path);
    if (response.status() !== 200) throw new Error(`${path} answered ${response.status()}`);
    found.push(path);
    await look(path);
    const links = await page.$$eval("a[href^='/']", (all) => all.map((a) => a.getAttribute("href")));
    waiting.push(...links.filter((link) => !/^\/(api|errors|assets|#)/.test(link)));
  }
  return found;
}
