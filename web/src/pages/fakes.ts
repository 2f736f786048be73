/** A server and a live socket for tests: answers are given by hand, requests and messages are written down. */

import { ApiError } from "../api/errors";
import type { LiveOf, LiveType } from "../api/types";
import type { Http, LiveFeed, Query, Tagged } from "./ports";

export interface Asked {
  method: string;
  path: string;
  query: Query | undefined;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
}

type Answer = (asked: Asked) => unknown;

export class FakeHttp implements Http {
  asked: Asked[] = [];
  /** The ETag of every answer. */
  tag = '"1"';
  #answers = new Map<string, Answer>();

  /** What "GET /v1/jobs" answers; a function may look at the request, throw, or wait. */
  on(call: string, answer: unknown): this {
    this.#answers.set(call, typeof answer === "function" ? (answer as Answer) : () => answer);
    return this;
  }

  calls(call: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === call);
  }

  get = <T>(path: string, query?: Query) => this.#answer<T>("GET", path, query, undefined);
  post = <T>(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    this.#answer<T>("POST", path, undefined, body, headers);
  tagged = async <T>(method: string, path: string, body?: unknown, ifMatch = ""): Promise<Tagged<T>> => {
    const value = await this.#answer<T>(method, path, undefined, body, ifMatch ? { "If-Match": ifMatch } : {});
    return { value, tag: this.tag };
  };
  put = <T>(path: string, body?: unknown) => this.#answer<T>("PUT", path, undefined, body);
  patch = <T>(path: string, body?: unknown) => this.#answer<T>("PATCH", path, undefined, body);
  delete = <T>(path: string, query?: Query) => this.#answer<T>("DELETE", path, query, undefined);

  async #answer<T>(method: string, path: string, query: Query | undefined, body: unknown, headers = {}): Promise<T> {
    const asked = { method, path, query, body: structuredClone(body), headers };
    this.asked.push(asked);
    const answer = this.#answers.get(`${method} ${path}`);
    if (answer === undefined) throw new Error(`nobody expected ${method} ${path}`);
    return (await answer(asked)) as T;
  }
}

type Hear = (message: never) => void;

export class FakeLive implements LiveFeed {
  /** Jobs that are watched, each with the event it goes on behind. */
  watched = new Map<string, number>();
  #hearers = new Map<string, Set<Hear>>();

  on<T extends LiveType>(type: T, hear: (message: LiveOf<T>) => void): () => void {
    return this.#add(type, hear);
  }

  onResync(again: () => void): () => void {
    return this.#add("resync", again);
  }

  watch(job: string, after = 0): () => void {
    this.watched.set(job, after);
    return () => this.watched.delete(job);
  }

  /** The server says something. */
  tell<T extends LiveType>(type: T, message: Omit<LiveOf<T>, "type">): void {
    for (const hear of this.#hearers.get(type) ?? []) hear({ type, ...message } as never);
  }

  /** The connection was lost and came back. */
  comeBack(): void {
    for (const hear of this.#hearers.get("resync") ?? []) hear(undefined as never);
  }

  get hearers(): number {
    return [...this.#hearers.values()].reduce((sum, each) => sum + each.size, 0);
  }

  #add(type: string, hear: Hear): () => void {
    const hearers = this.#hearers.get(type) ?? new Set();
    this.#hearers.set(type, hearers.add(hear));
    return () => void hearers.delete(hear);
  }
}

/** As the API's client throws what the server refused. */
export function refusal(code: string, detail = "No.", remedy: string | null = "Do otherwise."): ApiError {
  return new ApiError(409, { code, detail, remedy });
}

/** A promise that is settled by hand. */
export function later<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((give, refuse) => {
    resolve = give;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

/** Everything that was begun has come as far as it can without more news. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
