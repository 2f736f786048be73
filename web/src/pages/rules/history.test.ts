import { describe, expect, it } from "vitest";
import { History } from "./history";

describe("History", () => {
  it("goes back and forth", () => {
    const history = new History<number>();
    history.keep(1);
    history.keep(2);
    expect(history.undo(3)).toBe(2);
    expect(history.undo(2)).toBe(1);
    expect(history.undo(1)).toBeNull();
    expect(history.redo(1)).toBe(2);
    expect(history.redo(2)).toBe(3);
    expect(history.canRedo).toBe(false);
  });

  it("makes one step of a word that is typed", () => {
    const history = new History<string>();
    history.keep("", "name");
    history.keep("a", "name");
    history.keep("ab", "name");
    history.keep("abc", "other");
    expect(history.undo("abcd")).toBe("abc");
    expect(history.undo("abc")).toBe("");
  });

  it("forgets what was undone when something else is done", () => {
    const history = new History<number>();
    history.keep(1);
    history.undo(2);
    history.keep(1);
    expect(history.canRedo).toBe(false);
  });
});
