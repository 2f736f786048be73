/** What may be asked of a job, by the state that it is in: as the server's own moves have it. */

import type { JobState } from "../wire";

export type Action = "pause" | "resume" | "cancel" | "retry" | "delete";

const ENDED: readonly JobState[] = ["done", "partial", "failed", "cancelled"];

export function isEnded(state: JobState): boolean {
  return ENDED.includes(state);
}

/** What a button is shown for. A job that is whole has nothing to try again. */
export function actionsFor(state: JobState): Action[] {
  if (state === "done") return ["delete"];
  if (isEnded(state)) return ["retry", "delete"];
  if (state === "paused") return ["resume", "cancel"];
  return ["pause", "cancel"];
}
