import { describe, expect, it } from "vitest";
import { ANY_PAGE, conditionCount, emptyRanges, fileTypesOf, inOrder, newRule, numbered, patternOf } from "./ruleForm";

describe("a rule's form", () => {
  it("counts conditions, not the ways they are joined", () => {
    expect(conditionCount(ANY_PAGE)).toBe(0);
    expect(conditionCount({ ...ANY_PAGE, dimensions: "or", innerPath: true })).toBe(0);
    expect(conditionCount({ ...ANY_PAGE, maxWidth: 1200, fileTypes: ["jpg"], bookInclude: "x" })).toBe(3);
  });

  it("finds ranges that nothing can be in; 0 is no limit", () => {
    expect(emptyRanges({ ...ANY_PAGE, minWidth: 900, maxWidth: 0 })).toEqual([]);
    expect(emptyRanges({ ...ANY_PAGE, minWidth: 900, maxWidth: 800, minAspectRatio: 2, maxAspectRatio: 1 })).toEqual([
      "minWidth",
      "minAspectRatio",
    ]);
  });

  it("reads file types however they are written", () => {
    expect(fileTypesOf("jpg, .PNG;*.webp、jpg")).toEqual(["jpg", "png", "webp"]);
    expect(fileTypesOf("  ")).toEqual([]);
  });

  it("finds the pattern that a problem is about", () => {
    const match = { ...ANY_PAGE, bookInclude: "good", pageInclude: "(", pageExclude: "(?=x)" };
    expect(patternOf(match, "pageExclude: no look-ahead")).toBe("pageExclude");
    expect(patternOf(match, "“(?=x)” is no pattern: invalid perl operator")).toBe("pageExclude");
    expect(patternOf({ ...match, pageExclude: "" }, "missing )")).toBe("pageInclude");
    expect(patternOf(ANY_PAGE, "anything")).toBeNull();
  });

  it("keeps the order that priorities say, and numbers it", () => {
    const rules = [3, 1, 1].map((priority, at) => ({ ...newRule(`r${at}`, "m", `r${at}`), priority }));
    expect(inOrder(rules).map((rule) => rule.id)).toEqual(["r1", "r2", "r0"]);
    expect(numbered(inOrder(rules)).map((rule) => rule.priority)).toEqual([0, 1, 2]);
  });
});
