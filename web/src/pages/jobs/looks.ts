/** How states look, and which events there are words for. */

import type { JobState, PageState } from "../wire";

export type Kind = "plain" | "accent" | "good" | "warn" | "bad";

const JOBS: Partial<Record<JobState, Kind>> = {
  running: "accent",
  packing: "accent",
  paused: "warn",
  done: "good",
  partial: "warn",
  failed: "bad",
};

const PAGES: Partial<Record<PageState, Kind>> = { running: "accent", done: "good", failed: "bad" };

export function jobKind(state: JobState): Kind {
  return JOBS[state] ?? "plain";
}

export function pageKind(state: string): Kind {
  return PAGES[state as PageState] ?? "plain";
}

/** What a progress bar is drawn in. */
export function barKind(state: JobState): "accent" | "good" | "warn" | "bad" {
  const kind = jobKind(state);
  return kind === "plain" ? "accent" : kind;
}

const EVENTS = [
  ...([
    "submitted",
    "queued",
    "listed",
    "running",
    "page_done",
    "page_failed",
    "paused",
    "resumed",
    "packing",
  ] as const),
  ...(["done", "partial", "failed", "cancelled", "retried", "recovered", "prioritised"] as const),
] as const;

export type KnownEvent = (typeof EVENTS)[number];

export function isKnownEvent(type: string): type is KnownEvent {
  return (EVENTS as readonly string[]).includes(type);
}
