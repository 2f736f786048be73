import { describe, expect, it } from "vitest";
import type { JobState } from "../wire";
import { actionsFor, isEnded } from "./actions";

describe("actionsFor", () => {
  it("offers what the server's moves allow, and nothing else", () => {
    const offered: Record<JobState, string[]> = {
      queued: ["pause", "cancel"],
      running: ["pause", "cancel"],
      packing: ["pause", "cancel"],
      paused: ["resume", "cancel"],
      done: ["delete"],
      partial: ["retry", "delete"],
      failed: ["retry", "delete"],
      cancelled: ["retry", "delete"],
    };
    for (const [state, actions] of Object.entries(offered)) {
      expect(actionsFor(state as JobState)).toEqual(actions);
      expect(isEnded(state as JobState)).toBe(actions.includes("delete"));
    }
  });
});
