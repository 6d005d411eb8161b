// The console in headless Chromium. Starts a server on loopback, runs every test, and stops it.
//
//   npm ci && node run.mjs [part of a test's name]
//
// RIALTO_BIN names the program (default: target/debug/rialto), CHROMIUM the browser (default:
// Debian's). With RIALTO_BLESS=1 the picture for the README is made anew.

import { history, people, serve } from "./realm.mjs";
import { launch, proxy } from "./browser.mjs";
import { tests } from "./tests.mjs";

const wanted = process.argv[2] ?? "";
const server = await serve();
const front = await proxy(server.url);
const browser = await launch();
let failed = 0;
try {
  const cast = await people(server.url, server.operator);
  const past = await history(cast);
  const world = { browser, front, url: front.url, direct: server.url, operator: server.operator, cast, past };
  for (const [name, test] of Object.entries(tests)) {
    if (!name.includes(wanted)) continue;
    const begun = Date.now();
    try {
      await test(world);
      console.log(`ok    ${name} (${Date.now() - begun} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error.stack}`);
    } finally {
      front.mend();
      for (const context of browser.contexts()) await context.close();
    }
  }
} finally {
  await browser.close();
  front.close();
  await server.close();
}
console.log(failed ? `${failed} failed` : "all passed");
process.exit(failed ? 1 : 0);
