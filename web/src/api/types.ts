/** The wire, by the names that the application uses. What the server shows is generated: see schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** As it comes from the server: what has a default is always there. */
type Sent<T> = T extends readonly (infer Each)[]
  ? Sent<Each>[]
  : T extends object
    ? { [Name in keyof T]-?: Sent<Exclude<T[Name], undefined>> }
    : T;

export type Problem = Sent<Schemas["Problem"]>;
export type Told = Sent<Schemas["Told"]>;

export interface Listed<T> {
  items: T[];
  next: string;
}

export type Root = Sent<Schemas["RootView"]>;
export type Progress = Sent<Schemas["ProgressView"]>;
export type Item = Sent<Schemas["ItemView"]>;
export type BookPage = Sent<Schemas["ShelfPageView"]>;
export type Book = Sent<Schemas["BookView"]>;

export type PageState = Sent<Schemas["PageStateView"]>;
export type PageStatus = PageState["status"];
export type RuleName = Sent<Schemas["RuleNameView"]>;
export type ReaderView = Sent<Schemas["ReaderView"]>;
export type ReaderOptions = Omit<ReaderView, "openBooks" | "hint">;
export type LookupView = Sent<Schemas["LookupView"]>;

export type Match = Sent<Schemas["Match"]>;
export type RuleRecipe = Sent<Schemas["Treatment"]>;
export type Rule = Sent<Schemas["Rule"]>;
export type RuleSet = Sent<Schemas["RuleSet"]>;
export type Verdict = Sent<Schemas["VerdictView"]>;

export type JobView = Sent<Schemas["JobView"]>;
export type JobState = JobView["state"];
export type JobPriority = JobView["priority"];
export type JobPage = Sent<Schemas["PageView"]>;

export type ModelView = Sent<Schemas["ModelView"]>;
export type PullState = Sent<Schemas["PullView"]>["state"];
export type WorkerView = Sent<Schemas["WorkerView"]>;
export type CacheView = Sent<Schemas["CacheView"]>;
export type ServerView = Sent<Schemas["ServerView"]>;

/** A page's state, in the names of earlier readers' event besides. The socket is in no OpenAPI. */
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
