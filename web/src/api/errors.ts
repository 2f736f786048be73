/** What a request that failed says, for programs and for people. */
import type { Problem } from "./types";

export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly remedy: string | null;
  readonly fields: readonly { field: string; message: string }[];

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.remedy = problem.remedy ?? null;
    this.fields = problem.errors ?? [];
  }
}

/** The server could not be reached at all. */
export class OfflineError extends Error {
  override name = "OfflineError";
}

/** Whether it only says that we ourselves gave up. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
