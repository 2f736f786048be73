import { describe, expect, it } from "vitest";

import { commandOf } from "./shortcuts";

const key = (name: string, options: KeyboardEventInit = {}) => new KeyboardEvent("keydown", { key: name, ...options });

describe("a key", () => {
  it("turns to the page that lies on its side", () => {
    expect([commandOf(key("ArrowLeft"), "rtl"), commandOf(key("ArrowRight"), "rtl")]).toEqual(["next", "previous"]);
    expect([commandOf(key("ArrowLeft"), "ltr"), commandOf(key("ArrowRight"), "ltr")]).toEqual(["previous", "next"]);
  });

  it("means the same in capitals, and space both ways", () => {
    expect([commandOf(key("R", { shiftKey: true }), "ltr"), commandOf(key("r"), "ltr")]).toEqual(["rotate", "rotate"]);
    expect([commandOf(key(" "), "ltr"), commandOf(key(" ", { shiftKey: true }), "ltr")]).toEqual(["next", "previous"]);
    expect(commandOf(key("?", { shiftKey: true }), "ltr")).toBe("help");
  });

  it("with a modifier is the browser's, and an unknown one nobody's", () => {
    expect([commandOf(key("r", { ctrlKey: true }), "ltr"), commandOf(key("F5"), "ltr")]).toEqual([null, null]);
  });
});
