import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeHttp, later, refusal } from "../fakes";
import type { Verdict } from "../wire";
import { RuleTest } from "./ruleTest.svelte";

const TEST = "POST /v1/reader/rules/test";
const form = { enabled: true, rules: [] };
const page = { index: 4, name: "5.jpg", width: 90, height: 128, format: "jpeg", bytes: 1 };

function verdict(reason: string): Verdict {
  return { outcome: "skip", recipe: null, rule: null, reason, trace: [] };
}

describe("RuleTest", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("asks about its page with the rules as they are, saved or not", async () => {
    const http = new FakeHttp().on(TEST, verdict("why"));
    const test = new RuleTest(http);
    await test.run(form);
    expect(http.asked).toEqual([]);
    test.page = { bookId: "b", title: "B", page };
    await test.run(form);
    expect(http.asked[0]?.body).toEqual({ bookId: "b", page: 4, enabled: true, rules: [] });
    expect(test.verdict?.reason).toBe("why");
  });

  it("asks once after a burst of changes", async () => {
    const http = new FakeHttp().on(TEST, verdict("why"));
    const test = new RuleTest(http);
    test.page = { bookId: "b", title: "B", page };
    for (let change = 0; change < 5; change++) test.soon(form);
    await vi.runAllTimersAsync();
    expect(http.asked).toHaveLength(1);
    test.soon(form);
    test.close();
    await vi.runAllTimersAsync();
    expect(http.asked).toHaveLength(1);
  });

  it("shows the answer to the last question only", async () => {
    const slow = later<Verdict>();
    const http = new FakeHttp().on(TEST, () => slow.promise);
    const test = new RuleTest(http);
    test.page = { bookId: "b", title: "B", page };
    const first = test.run(form);
    http.on(TEST, verdict("new"));
    await test.run(form);
    slow.resolve(verdict("old"));
    await first;
    expect(test.verdict?.reason).toBe("new");
  });

  it("says why there is no answer", async () => {
    const test = new RuleTest(new FakeHttp().on(TEST, () => Promise.reject(refusal("unknown_book"))));
    test.page = { bookId: "b", title: "B", page };
    await test.run(form);
    expect(test.failure?.code).toBe("unknown_book");
    expect(test.busy).toBe(false);
  });
});
