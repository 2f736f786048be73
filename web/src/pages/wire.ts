/** The wire by the names that these pages use, and what only they look at. */

import type { ModelView, PullState, Told, Verdict } from "../api/types";

export type {
  BookPage,
  Book as BookView,
  CacheView,
  Item,
  JobPage,
  JobPriority as Priority,
  JobState,
  JobView as Job,
  Listed,
  Match,
  Progress,
  ReaderView,
  Root,
  Rule,
  RuleRecipe,
  RuleSet,
  ServerView,
  Told,
  Verdict,
  WorkerView as Worker,
} from "../api/types";

export type Trace = Verdict["trace"][number];
export type Check = Trace["checks"][number];
export type PageState = "queued" | "running" | "done" | "failed" | "cancelled";

export interface JobEvent {
  job: string;
  number: number;
  at: number;
  type: string;
  [fact: string]: unknown;
}

/** What comparing an archive with its report, and with its source where that is still there, found. */
export interface Verification {
  ok: boolean;
  matched: string[];
  missing: string[];
  extra: string[];
  mismatched: string[];
  /** Pages of the source that could not be enlarged. */
  failed: string[];
  /** Every difference in words. */
  problems: string[];
  sourceCompared: boolean;
}

/** Weights being fetched. */
export interface Pull {
  model: string;
  state: PullState;
  bytes: number;
  total: number;
  error: Told | null;
}

export interface Model extends Omit<ModelView, "pull"> {
  pull?: Pull | null;
}
