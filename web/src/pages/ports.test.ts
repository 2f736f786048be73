import { describe, expect, it } from "vitest";
import { ApiError, OfflineError } from "../api/errors";
import { toldOf, withQuery } from "./ports";

describe("withQuery", () => {
  it("says a list more than once, and nothing of what is empty", () => {
    expect(withQuery("/v1/jobs", { state: ["queued", "running"], text: "", after: undefined, limit: 5 })).toBe(
      "/v1/jobs?state=queued&state=running&limit=5",
    );
    expect(withQuery("/v1/jobs", { state: [] })).toBe("/v1/jobs");
    expect(withQuery("/v1/shelf/items", { q: "One & Two" })).toBe("/v1/shelf/items?q=One+%26+Two");
  });
});

describe("toldOf", () => {
  it("keeps what the server told, with its remedy", () => {
    const error = new ApiError(422, { code: "bad_input", detail: "No.", remedy: "Do." });
    expect(toldOf(error)).toEqual({ code: "bad_input", message: "No.", remedy: "Do." });
  });

  it("tells everything else in its own words", () => {
    expect(toldOf(new OfflineError("gone"))).toEqual({ code: "offline", message: "gone", remedy: null });
    expect(toldOf("odd")).toEqual({ code: "unknown", message: "odd", remedy: null });
  });
});
