/** Requests to the server: JSON in and out, problems as ApiError, a token asked for where one is needed. */
import { i18n } from "../i18n/index.svelte";
import { href } from "./base";
import { ApiError, isAbort, OfflineError } from "./errors";
import type { Problem } from "./types";

type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;
export interface RequestOptions {
  query?: Query;
  signal?: AbortSignal;
  /** sent even when the page is being left */
  keepalive?: boolean;
  headers?: Readonly<Record<string, string>>;
}

/** Asks for the token and settles when it was accepted; rejects when the reader gives up. */
type SignIn = () => Promise<void>;

function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

async function problemOf(answer: Response): Promise<Partial<Problem>> {
  try {
    return (await answer.json()) as Problem;
  } catch {
    return { detail: `HTTP ${answer.status} ${answer.statusText}`.trim() };
  }
}

export class ApiClient {
  #signIn: SignIn | null = null;
  #signingIn: Promise<void> | null = null;

  /** Who asks for the token; set once by the application's shell. */
  set signIn(ask: SignIn) {
    this.#signIn = ask;
  }

  get<T>(path: string, options?: RequestOptions): Promise<T> {
    return this.json<T>("GET", path, undefined, options);
  }

  post<T = void>(path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("POST", path, body, options);
  }

  put<T = void>(path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("PUT", path, body, options);
  }

  patch<T = void>(path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("PATCH", path, body, options);
  }

  delete<T = void>(path: string, options?: RequestOptions): Promise<T> {
    return this.json<T>("DELETE", path, undefined, options);
  }

  /** The JSON that a path answers; undefined for 204. Raises ApiError and OfflineError. */
  async json<T>(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    const answer = await this.send(method, path, body, options);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** The answer itself, successful; FormData and Blobs go out as they are, everything else as JSON. */
  async send(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Response> {
    let answer = await this.#fetch(method, path, body, options);
    if (answer.status === 401 && this.#signIn && path !== "/v1/session") {
      await this.#askOnce(this.#signIn);
      answer = await this.#fetch(method, path, body, options);
    }
    if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
    return answer;
  }

  async #fetch(method: string, path: string, body: unknown, options: RequestOptions): Promise<Response> {
    const raw = body instanceof FormData || body instanceof Blob;
    const headers: Record<string, string> = { "Accept-Language": i18n.language, ...options.headers };
    if (body !== undefined && !raw) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers, keepalive: options.keepalive ?? false };
    if (body !== undefined) init.body = raw ? body : JSON.stringify(body);
    if (options.signal) init.signal = options.signal;
    try {
      return await fetch(withQuery(href(path), options.query ?? {}), init);
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new OfflineError(i18n.t("common.offline"));
    }
  }

  /** However many requests were refused, one question. */
  #askOnce(ask: SignIn): Promise<void> {
    this.#signingIn ??= ask().finally(() => (this.#signingIn = null));
    return this.#signingIn;
  }
}

export const api = new ApiClient();
