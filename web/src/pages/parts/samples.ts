/** Models and settings as the server tells them, for tests. */

import type { Model, ReaderView, ServerView } from "../wire";

export function model(name: string, facts: Partial<Model> = {}): Model {
  return {
    name,
    title: { en: name, zh: name },
    isDefault: false,
    purpose: "art",
    scales: [1, 2],
    noises: ["none", "0", "1", "2", "3"],
    licence: "MIT",
    origin: "https://example.org",
    credit: "somebody",
    aliases: [],
    networks: 2,
    networksHere: 0,
    bytes: 1000,
    pull: null,
    ...facts,
  };
}

export function reader(facts: Partial<ReaderView> = {}): ReaderView {
  return {
    enabled: true,
    model: "cunet",
    scale: 2,
    noise: null,
    tileSize: 0,
    quality: 90,
    lossless: false,
    lookAhead: { forward: 3, backward: 3 },
    openBooks: [],
    hint: null,
    ...facts,
  };
}

export function server(facts: Partial<ServerView> = {}): ServerView {
  return {
    version: "0.1.0",
    defaultModel: "cunet",
    languages: ["en", "zh"],
    workers: 1,
    maxUploadBytes: 1e9,
    maxUploadFiles: 1000,
    maxMegapixels: 256,
    maxWaitingJobs: 100,
    jobs: {},
    tokenNeeded: false,
    allowedDirs: [],
    calibrations: [],
    idleUnloadS: 0,
    inUse: [],
    offline: false,
    storageDir: "/srv/storage",
    ...facts,
  };
}
