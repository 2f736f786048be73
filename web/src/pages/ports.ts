/** What the pages' states need of the world: requests and the live socket. Tests hand in others. */

import type { ApiClient } from "../api/client";
import { ApiError, OfflineError } from "../api/errors";
import type { LiveOf, LiveType } from "../api/types";
import type { Told } from "./wire";

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Tagged<T> {
  value: T;
  tag: string;
}

export interface Http {
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  /** The answer, and its ETag: the revision of what it is about. */
  tagged<T>(method: "GET" | "PUT", path: string, body?: unknown, ifMatch?: string): Promise<Tagged<T>>;
  put<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body?: unknown): Promise<T>;
  delete<T>(path: string, query?: Query): Promise<T>;
}

export interface LiveFeed {
  on<T extends LiveType>(type: T, hear: (message: LiveOf<T>) => void): () => void;
  /** A connection stands, the first or one that came back: what happened before it has to be asked for. */
  onResync(again: () => void): () => void;
  /** Hear `event` and `progress` of a job, until the returned function is called. */
  watch(job: string, after?: number): () => void;
}

/** The application's own client. */
export function httpOf(client: ApiClient): Http {
  return {
    get: (path, query) => client.get(withQuery(path, query)),
    post: (path, body, headers = {}) => client.post(path, body, { headers }),
    tagged: (method, path, body, ifMatch) => tagged(client, method, path, body, ifMatch),
    put: (path, body) => client.put(path, body),
    patch: (path, body) => client.patch(path, body),
    delete: (path, query) => client.delete(withQuery(path, query)),
  };
}

async function tagged<T>(
  client: ApiClient,
  method: string,
  path: string,
  body: unknown,
  ifMatch = "",
): Promise<Tagged<T>> {
  const answer = await client.send(method, path, body, { headers: ifMatch ? { "If-Match": ifMatch } : {} });
  return { value: (await answer.json()) as T, tag: answer.headers.get("ETag") ?? "" };
}

/** What went wrong, as it can be shown. */
export function toldOf(error: unknown): Told {
  if (error instanceof ApiError) return { code: error.code, message: error.message, remedy: error.remedy };
  const code = error instanceof OfflineError ? "offline" : "unknown";
  return { code, message: error instanceof Error ? error.message : String(error), remedy: null };
}

/** The path with its query; a list is a parameter that is said more than once, as the API wants it. */
export function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      if (each !== undefined && each !== "") parameters.append(name, String(each));
    }
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}
