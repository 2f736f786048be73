import { describe, expect, it } from "vitest";
import { agoText, shareText, timeText } from "./measures";

describe("measures", () => {
  it("says how long ago", () => {
    expect(agoText(1000, 1010, "en")).toBe("this minute");
    expect(agoText(1000, 1000 + 7200, "en")).toBe("2 hours ago");
    expect(agoText(1000, 1000 + 7200, "zh")).toBe("2小时前");
    expect(agoText(0, 400 * 86_400, "en")).toContain("1970");
    expect(agoText(2000, 1000, "en")).toBe("this minute"); // a clock that is ahead
  });

  it("names the day only when it is another", () => {
    const now = Date.UTC(2026, 5, 1, 12) / 1000;
    expect(timeText(now, now, "en")).not.toContain("26");
    expect(timeText(now - 3 * 86_400, now, "en")).toContain("26");
  });

  it("never calls unfinished work whole", () => {
    expect(shareText(0.999)).toBe("99%");
    expect(shareText(0.29)).toBe("29%");
    expect(shareText(1)).toBe("100%");
  });
});
