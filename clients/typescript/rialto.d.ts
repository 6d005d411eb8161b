/** A client of a Rialto realm. The types of what is asked for and answered are in api.d.ts. */

import type { Accepted, BatchItem, Operations, Outcome, Problem, Reads } from "./api.js";

export type * from "./api.js";

/** The realm understood and refused. `code` is stable; `hint` says what to do next. */
export declare class Refused extends Error {
  constructor(problem: Problem);
  readonly problem: Problem;
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** The position at which the realm decided it, if it did. */
  readonly position?: number;
}

/**
 * There was no answer, or not one of a realm. Whether the realm did what was asked is not known: ask
 * again with the same key.
 */
export declare class Unreachable extends Error {}

/**
 * A new idempotency key: the time, and a name of your own or a random one. Keep it until the answer is
 * there: the same operation with the same key is carried out once.
 */
export declare function newKey(name?: string): string;

/** A page of a list. */
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  position: number;
}

/** A list. Iterating over it reads page after page; `page` reads one. */
export declare class Pages<T> implements AsyncIterable<T> {
  page(): Promise<Page<T>>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/**
 * Events as they come, for as long as they are iterated over. A connection that breaks is made anew
 * behind the last event. Keep `lastEventId` to go on later. What ends the stream for good is thrown as
 * `Refused`.
 */
export declare class Events<T> implements AsyncIterable<T> {
  readonly lastEventId: string | undefined;
  close(): void;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** A realm as one principal sees it. */
export declare class Client {
  /** `url` such as `http://127.0.0.1:7600`; `timeout` in milliseconds. */
  constructor(url: string, options?: { token?: string; timeout?: number });
  readonly read: Reads;
  /** The same realm as another principal sees it. A token is told once: a repeated answer has none. */
  withToken(token: string | undefined): Client;
  /** The same client, acting as an agent (`@handle` or id) of its owner. */
  actingAs(agent: string): Client;
  /** The same client, whose operations name what caused them, for the trace. */
  causedBy(id: string): Client;
  /** The same client with an idempotency key (`newKey`), for one operation and its repeats. */
  withKey(key: string): Client;
  /** Carries out an operation by its name, such as `mail.send`. */
  carryOut(op: string, args?: object): Promise<Accepted>;
  /** Carries out operations in order, each for itself; one outcome for each. */
  batch(commands: BatchItem[]): Promise<Outcome[]>;
}

export interface Client extends Operations {}
