/** A job as the server tells it, for tests. */

import type { Job, JobPage } from "../wire";

export function job(id: string, facts: Partial<Job> = {}): Job {
  return {
    id,
    state: "queued",
    title: `Title ${id}`,
    volume: "01",
    priority: "volume",
    device: "auto",
    packs: true,
    container: "cbz",
    transient: false,
    source: { kind: "archive", path: `incoming/${id}.cbz` },
    recipe: { model: "waifu2x-cunet", scale: 2, noise: null, format: "same" },
    counts: { total: 10, done: 0, failed: 0, cancelled: 0 },
    createdAt: 100,
    updatedAt: 100,
    startedAt: null,
    finishedAt: null,
    reason: null,
    retries: 0,
    artifact: null,
    lastEvent: 1,
    ...facts,
  };
}

export function page(position: number, facts: Partial<JobPage> = {}): JobPage {
  const unknown = { output: null, bytes: null, inputSha256: null, outputSha256: null, seconds: null, computed: null };
  return {
    position,
    name: `${position + 1}.jpg`,
    state: "queued",
    attempt: 0,
    ...unknown,
    facts: null,
    error: null,
    url: null,
    ...facts,
  };
}
