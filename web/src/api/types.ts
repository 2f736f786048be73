/** The wire, as the application uses it. */

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  remedy: string | null;
  errors: { field: string; message: string }[] | null;
}

export interface Told {
  code: string;
  message: string;
  remedy: string | null;
}

// ---- shelf and books ----

export interface Root {
  id: string;
  name: string;
  path: string;
  removable: boolean;
  here: boolean;
}

export interface Progress {
  page: number;
  total: number;
  at: number;
}

export interface Item {
  id: string;
  kind: "group" | "book";
  format: string;
  title: string;
  path: string;
  pages: number | null;
  cover: string | null;
  progress: Progress | null;
  bytes: number | null;
  modifiedAt: number;
}

export interface Listed<T> {
  items: T[];
  next: string;
}

export interface BookPage {
  index: number;
  name: string;
  width: number;
  height: number;
  format: string;
  bytes: number;
}

export interface Book {
  id: string;
  title: string;
  path: string;
  format: string;
  pages: BookPage[];
  problems: { name: string; message: string; remedy: string | null }[];
  progress: Progress | null;
}

// ---- reader ----

export type PageStatus =
  "pending" | "checking" | "processing" | "completed" | "skipped" | "failed" | "cancelled" | "original";

export interface RuleName {
  id: string;
  name: string;
}

export interface PageState {
  bookId: string;
  page: number;
  status: PageStatus;
  share: number;
  url: string | null;
  width: number | null;
  height: number | null;
  originalWidth: number | null;
  originalHeight: number | null;
  model: string | null;
  scale: number | null;
  noise: number | string | null;
  seconds: number | null;
  rule: RuleName | null;
  reason: string | null;
  error: Told | null;
  isPreload: boolean;
}

export interface ReaderOptions {
  enabled: boolean;
  model: string;
  scale: number;
  noise: number | string | null;
  tileSize: number;
  quality: number;
  lossless: boolean;
  lookAhead: { forward: number; backward: number };
}

export interface ReaderView extends ReaderOptions {
  openBooks: string[];
  hint: { message: string; model: string } | null;
}

export interface ReaderStats {
  memoryCacheCount: number;
  memoryCacheBytes: number;
  pendingTasks: number;
  processingTasks: number;
  completedCount: number;
  skippedCount: number;
  failedCount: number;
  queueWaitSampleCount: number;
  queueWaitAvgMs: number;
  queueWaitMaxMs: number;
  dedupeRequestCount: number;
  dedupeHitCount: number;
  dedupeHitRate: number;
  regexCacheHitCount: number;
  regexCacheMissCount: number;
  regexCacheHitRate: number;
  isEnabled: boolean;
}

// ---- rules ----

export interface Match {
  minWidth: number;
  maxWidth: number;
  minHeight: number;
  maxHeight: number;
  dimensions: "and" | "or";
  minMegapixels: number;
  maxMegapixels: number;
  minAspectRatio: number;
  maxAspectRatio: number;
  fileTypes: string[];
  bookInclude: string;
  bookExclude: string;
  pageInclude: string;
  pageExclude: string;
  innerPath: boolean;
}

export interface RuleRecipe {
  model: string;
  scale: number;
  noise: number | string | null;
  tileSize: number;
  tileEnabled: boolean;
}

export interface Rule {
  id: string;
  name: string;
  enabled: boolean;
  priority: number;
  match: Match;
  skip: boolean;
  recipe: RuleRecipe;
}

export interface RuleSet {
  enabled: boolean;
  rules: Rule[];
}

export interface Verdict {
  outcome: "enlarge" | "skip";
  recipe: RuleRecipe | null;
  rule: RuleName | null;
  reason: string;
  trace: {
    rule: RuleName;
    matched: boolean;
    checks: { condition: string; wanted: string; found: string; passed: boolean }[];
    problem: string | null;
  }[];
}

// ---- jobs ----

export type JobState = "queued" | "running" | "paused" | "packing" | "done" | "partial" | "failed" | "cancelled";

export type JobPriority = "reading" | "ahead" | "interactive" | "volume" | "indexing";

export interface JobView {
  id: string;
  state: JobState;
  title: string;
  volume: string;
  priority: JobPriority;
  device: string;
  packs: boolean;
  container: "zip" | "cbz";
  transient: boolean;
  source: { kind: "folder" | "archive" | "picture"; path: string };
  recipe: Record<string, unknown>;
  counts: { total: number; done: number; failed: number; cancelled: number };
  createdAt: number;
  updatedAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  reason: Told | null;
  retries: number;
  artifact: { path: string; sha256: string; bytes: number; url: string } | null;
  lastEvent: number;
}

export interface JobPage {
  position: number;
  name: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  attempt: number;
  output: string | null;
  bytes: number | null;
  inputSha256?: string | null;
  outputSha256?: string | null;
  seconds: number | null;
  computed: boolean | null;
  facts?: Record<string, unknown> | null;
  error: Told | null;
  url: string | null;
}

// ---- models, machine ----

export type PullState = "running" | "done" | "failed" | "cancelled";

export interface ModelView {
  name: string;
  title: Record<string, string>;
  isDefault: boolean;
  purpose: "art" | "photo" | "any";
  scales: number[];
  noises: string[];
  licence: string;
  origin: string;
  credit: string;
  aliases: string[];
  networks: number;
  networksHere: number;
  bytes: number;
  pull?: PullState | null;
}

export interface WorkerView {
  id: string;
  pid: number;
  state: string;
  rssBytes: number;
  tasks: number;
  startedAt: number;
  models: { model: string; runtime: string; device: string; dtype: string }[];
}

export interface CacheView {
  totalFiles: number;
  totalSize: number;
  cacheDir: string;
}

export interface ServerView {
  version: string;
  defaultModel: string;
  languages: string[];
  workers: number;
  maxUploadBytes: number;
  maxUploadFiles: number;
  maxMegapixels: number;
  maxWaitingJobs: number;
  jobs: Record<string, number>;
  tokenNeeded: boolean;
}

// ---- the live socket ----

export interface UpscaleReady extends PageState {
  bookPath: string;
  pageIndex: number;
  imageHash: string;
  cachePath: string | null;
  originalSize: [number, number] | null;
  upscaledSize: [number, number] | null;
  modelName: string | null;
}

export type LiveMessage =
  | { type: "hello"; version: string; language: string }
  | ({ type: "upscale-ready" } & UpscaleReady)
  | ({ type: "reader" } & ReaderView)
  | { type: "job"; job: JobView }
  | { type: "job-deleted"; id: string }
  | { type: "progress"; job: string; position: number; page: string; share: number }
  | { type: "event"; event: Record<string, unknown> & { job?: string; number?: number } }
  | { type: "pull"; model: string; state: PullState; bytes: number; total: number; error: Told | null }
  | { type: "workers"; workers: WorkerView[] }
  | { type: "resync" }
  | { type: "pong" };

export type LiveType = LiveMessage["type"];
export type LiveOf<T extends LiveType> = Extract<LiveMessage, { type: T }>;
