/**
 * How requests are sent and answers are read. What there is to ask for is in api.js.
 *
 * Nothing is retried but a stream that broke: it goes on behind the last event that was read.
 */

import { operations, reads } from "./api.js";

// How long to wait before a broken stream is asked for again, in milliseconds: at first, and at most.
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
// The server says something on a stream at least every 15 s.
const SILENCE = 60_000;

/** The realm understood and refused. */
export class Refused extends Error {
  constructor(problem) {
    const said = problem.detail ? `${problem.title}: ${problem.detail}` : problem.title;
    super(problem.hint ? `${problem.code} ${said} (${problem.hint})` : `${problem.code} ${said}`);
    this.name = "Refused";
    this.problem = problem;
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail ?? "";
    this.hint = problem.hint;
    this.position = problem.position;
  }
}

/** There was no answer, or not one of a realm. */
export class Unreachable extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "Unreachable";
  }
}

/** A new idempotency key: the time, and a name of your own or a random one. */
export function newKey(name) {
  return `${Math.floor(Date.now() / 1000)}.${name ?? crypto.randomUUID()}`;
}

export class Client {
  #url;
  #headers;
  #timeout;

  constructor(url, { token, timeout = 60_000 } = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#timeout = timeout;
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    for (const [group, names] of Object.entries(operations)) {
      const methods = names.map((name) => [name, (args) => this.carryOut(`${group}.${name}`, args)]);
      this[group] = Object.fromEntries(methods);
    }
    const methods = Object.entries(reads).map(([name, read]) => [name, (...given) => this.#read(read, given)]);
    this.read = Object.fromEntries(methods);
  }

  #with(name, value) {
    const other = new Client(this.#url, { timeout: this.#timeout });
    other.#headers = { ...this.#headers, [name]: value };
    return other;
  }

  withToken(token) {
    if (token === undefined) throw new TypeError("there is no token: a secret is told once");
    return this.#with("Authorization", `Bearer ${token}`);
  }

  actingAs(agent) {
    return this.#with("Rialto-Agent", agent);
  }

  causedBy(id) {
    return this.#with("Rialto-Cause", id);
  }

  withKey(key) {
    return this.#with("Idempotency-Key", key);
  }

  carryOut(op, args) {
    return this.#json("POST", `/api/${op}`, args ?? {});
  }

  async batch(commands) {
    return (await this.#json("POST", "/api/commands", { commands })).outcomes;
  }

  #read({ path, form, rows, ask }, given) {
    const rest = [...given];
    const place = path.replace(/\{\w+\}/g, () => encodeURIComponent(rest.shift()));
    const asked = rest[0] ?? {};
    const method = ask ? "POST" : "GET";
    switch (form) {
      case "pages":
        return new Pages(async (cursor) => {
          const answer = await this.#json(method, place, { ...asked, cursor });
          const { next_cursor, position } = answer;
          return { items: answer[rows], next_cursor: next_cursor ?? null, position };
        }, asked.cursor);
      case "events":
        return new Events((headers, signal) => this.#send("GET", place, asked, headers, signal), rest[1]);
      case "lines":
        return this.#lines(place, asked);
      case "text":
        return this.#text(place);
      default:
        return this.#json(method, place, asked);
    }
  }

  async #json(method, path, asked) {
    const answer = await this.#send(method, path, asked, { Accept: "application/json" }, this.#limit());
    return broken(answer.json());
  }

  async #text(path) {
    return broken((await this.#send("GET", path, {}, {}, this.#limit())).text());
  }

  async *#lines(path, asked) {
    const answer = await this.#send("GET", path, asked, {});
    for await (const line of linesOf(answer.body)) {
      if (line !== "") yield JSON.parse(line);
    }
  }

  #limit() {
    return AbortSignal.timeout(this.#timeout);
  }

  async #send(method, path, asked, headers, signal) {
    const given = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null);
    const request = { method, signal, headers: { ...this.#headers, ...headers } };
    let address = this.#url + path;
    if (method === "POST") {
      request.body = JSON.stringify(Object.fromEntries(given));
      request.headers["Content-Type"] = "application/json";
    } else if (given.length > 0) {
      address += `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
    }
    const answer = await broken(fetch(address, request));
    if (answer.ok) return answer;
    const said = await broken(answer.text());
    if (answer.headers.get("content-type")?.startsWith("application/problem+json")) {
      throw new Refused(JSON.parse(said));
    }
    throw new Unreachable(`status ${answer.status}: ${said.trim().slice(0, 200)}`);
  }
}

/** What a connection fails with, in one form. */
async function broken(asked) {
  try {
    return await asked;
  } catch (error) {
    throw new Unreachable(error.cause?.message ?? error.message, { cause: error });
  }
}

/** A list: iterating over it reads page after page. */
export class Pages {
  #read;
  #cursor;

  constructor(read, cursor) {
    this.#read = read;
    this.#cursor = cursor;
  }

  page() {
    return this.#read(this.#cursor);
  }

  async *[Symbol.asyncIterator]() {
    let page = await this.page();
    yield* page.items;
    while (page.next_cursor !== null) {
      page = await this.#read(page.next_cursor);
      yield* page.items;
    }
  }
}

/** Events as they come. */
export class Events {
  #open;
  #stop = new AbortController();
  lastEventId;

  constructor(open, lastEventId) {
    this.#open = open;
    this.lastEventId = lastEventId;
  }

  close() {
    this.#stop.abort();
  }

  async *[Symbol.asyncIterator]() {
    let pause = FIRST_PAUSE;
    let begun = false;
    try {
      while (!this.#stop.signal.aborted) {
        const watch = new Watch(this.#stop.signal);
        try {
          const headers = { Accept: "text/event-stream" };
          if (this.lastEventId !== undefined) headers["Last-Event-ID"] = this.lastEventId;
          const answer = await this.#open(headers, watch.signal);
          begun = true;
          for await (const event of eventsOf(answer.body, watch)) {
            pause = FIRST_PAUSE;
            if (event.kind === "problem") throw new Refused(event.data);
            this.lastEventId = event.id ?? this.lastEventId;
            yield { event: event.kind, data: event.data };
          }
        } catch (error) {
          if (error instanceof Refused || !(begun || this.#stop.signal.aborted)) throw error;
        } finally {
          watch.end();
        }
        await sleep(pause, this.#stop.signal);
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    } finally {
      this.close();
    }
  }
}

/** Ends a connection that says nothing any more, or that nobody wants. */
class Watch {
  #silent = new AbortController();
  #timer;

  constructor(stop) {
    this.signal = AbortSignal.any([stop, this.#silent.signal]);
    stop.addEventListener("abort", () => this.end(), { once: true });
    this.heard();
  }

  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent.abort(), SILENCE);
  }

  end() {
    clearTimeout(this.#timer);
    this.#silent.abort();
  }
}

function sleep(time, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, time);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

async function* linesOf(body, heard = () => {}) {
  let rest = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard();
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      yield* lines;
    }
  } finally {
    // Whoever reads no further needs no more of it.
    await reader.cancel().catch(() => {});
  }
  if (rest !== "") yield rest;
}

async function* eventsOf(body, watch) {
  let event = { kind: "message", data: [] };
  for await (const line of linesOf(body, () => watch.heard())) {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text === "") {
      if (event.data.length > 0) yield { ...event, data: JSON.parse(event.data.join("\n")) };
      event = { kind: "message", data: [] };
      continue;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event.kind = value;
    else if (field === "data") event.data.push(value);
    else if (field === "id") event.id = value;
  }
}
