import { describe, expect, it } from "vitest";
import { FakeHttp, later, refusal, settled, type Asked } from "../fakes";
import type { RuleSet, Verdict } from "../wire";
import { newRule } from "./ruleForm";
import { isStale, RulesState } from "./rulesState.svelte";

const TEST = "POST /v1/reader/rules/test";

/** A server that knows one bad pattern, "(". */
function serverWith(form: RuleSet): FakeHttp {
  const judge = ({ body }: Asked): Verdict => {
    const rule = (body as RuleSet).rules[0] ?? newRule("none", "m", "none");
    const patterns = Object.values(rule.match);
    const problem = patterns.includes("(") ? "“(” is not a regular expression that can be used (missing ))." : null;
    return {
      outcome: "skip",
      recipe: null,
      rule: null,
      reason: "",
      trace: [{ rule, matched: false, checks: [], problem }],
    };
  };
  return new FakeHttp()
    .on("GET /v1/reader/rules", form)
    .on("PUT /v1/reader/rules", ({ body }: Asked) => body)
    .on(TEST, judge);
}

async function loaded(...names: string[]): Promise<{ state: RulesState; http: FakeHttp }> {
  const rules = names.map((name, priority) => ({ ...newRule(name, "m", name), priority }));
  const http = serverWith({ enabled: true, rules });
  const state = new RulesState(http);
  await state.load();
  return { state, http };
}

const ids = (state: RulesState) => state.rules.map((rule) => rule.id);

describe("RulesState", () => {
  it("shows rules in the order they are asked, the first one open, nothing to save", async () => {
    const rules = [5, 1].map((priority) => ({ ...newRule("r", "m", `r${priority}`), priority }));
    const state = new RulesState(serverWith({ enabled: false, rules }));
    await state.load();
    expect(ids(state)).toEqual(["r1", "r5"]);
    expect(state.selected?.id).toBe("r1");
    expect(state.isDirty).toBe(false);
    expect(state.loading).toBe(false);
  });

  it("orders, copies and removes, and takes each back", async () => {
    const { state } = await loaded("a", "b", "c");
    state.move("c", 0);
    expect(ids(state)).toEqual(["c", "a", "b"]);
    expect(state.rules.map((rule) => rule.priority)).toEqual([0, 1, 2]);
    state.duplicate("a", "a, copy");
    expect(state.rules.map((rule) => rule.name)).toEqual(["c", "a", "a, copy", "b"]);
    state.remove("c");
    expect(state.isDirty).toBe(true);
    state.undo();
    state.undo();
    state.undo();
    expect(ids(state)).toEqual(["a", "b", "c"]);
    expect(state.isDirty).toBe(false);
    expect(state.canUndo).toBe(false);
    state.redo();
    expect(ids(state)).toEqual(["c", "a", "b"]);
  });

  it("stays inside the list, and makes one step of a drag", async () => {
    const { state } = await loaded("a", "b", "c");
    state.move("a", -5);
    expect(state.canUndo).toBe(false);
    state.move("a", 1, "drag 1");
    state.move("a", 99, "drag 1");
    expect(ids(state)).toEqual(["b", "c", "a"]);
    state.undo();
    expect(ids(state)).toEqual(["a", "b", "c"]);
  });

  it("selects a neighbour of what is removed", async () => {
    const { state } = await loaded("a", "b");
    state.selectedId = "b";
    state.remove("b");
    expect(state.selectedId).toBe("a");
    state.remove("a");
    expect(state.selectedId).toBeNull();
  });

  it("saves only when asked, and sends the whole form", async () => {
    const { state, http } = await loaded("a");
    state.changeMatch("a", { maxWidth: 1200 });
    state.changeRecipe("a", { scale: 4 });
    state.change("a", { name: "small" });
    state.switchOn(false);
    expect(http.calls("PUT /v1/reader/rules")).toHaveLength(0);
    expect(await state.save()).toBe(true);
    const sent = http.calls("PUT /v1/reader/rules")[0]?.body as RuleSet;
    expect(sent.enabled).toBe(false);
    expect(sent.rules[0]).toMatchObject({ name: "small", match: { maxWidth: 1200 }, recipe: { scale: 4 } });
    expect(state.isDirty).toBe(false);
  });

  it("saves nothing with a bad pattern, and shows it at its field", async () => {
    const { state, http } = await loaded("a", "b");
    state.changeMatch("b", { pageInclude: "fine", pageExclude: "(" });
    expect(await state.save()).toBe(false);
    expect(http.calls("PUT /v1/reader/rules")).toHaveLength(0);
    expect(state.problems.get("b")).toMatchObject({ field: "pageExclude" });
    state.changeMatch("b", { pageExclude: "fine" });
    expect(await state.save()).toBe(true);
    expect(state.problems.size).toBe(0);
  });

  it("asks about a pattern once, each rule alone, also those that are off", async () => {
    const { state, http } = await loaded("a", "b");
    state.changeMatch("a", { bookInclude: "x" });
    state.changeMatch("b", { bookInclude: "(" });
    state.change("b", { enabled: false });
    await state.checkPatterns();
    await state.checkPatterns();
    expect(http.calls(TEST)).toHaveLength(2);
    for (const { body } of http.calls(TEST)) expect(body).toMatchObject({ enabled: true, rules: [{ enabled: true }] });
    expect([...state.problems.keys()]).toEqual(["b"]);
  });

  it("forgets an answer about rules that are others by now", async () => {
    const { state, http } = await loaded("a");
    const slow = later<Verdict>();
    http.on(TEST, () => slow.promise);
    state.changeMatch("a", { bookInclude: "(" });
    const checking = state.checkPatterns();
    state.changeMatch("a", { bookInclude: "" });
    slow.resolve({
      outcome: "skip",
      recipe: null,
      rule: null,
      reason: "",
      trace: [{ rule: { id: "a", name: "a" }, matched: false, checks: [], problem: "bad" }],
    });
    await checking;
    expect(state.problems.size).toBe(0);
  });

  it("keeps the changes when the server refuses them", async () => {
    const { state, http } = await loaded("a");
    http.on("PUT /v1/reader/rules", () => Promise.reject(refusal("bad_rule", "rules.0.name: too long.")));
    state.change("a", { name: "x" });
    expect(await state.save()).toBe(false);
    expect(state.failure).toMatchObject({ code: "bad_rule" });
    expect(state.isDirty).toBe(true);
  });

  it("adds a preset under its own name, and switches rules on with the first", async () => {
    const state = new RulesState(serverWith({ enabled: false, rules: [] }));
    await state.load();
    state.addPreset({ title: "Leave large pages alone", description: "", rule: newRule("Large", "m", "large-pages") });
    expect(state.enabled).toBe(true);
    expect(state.selected).toMatchObject({ name: "Leave large pages alone" });
    expect(state.selected?.id).not.toBe("large-pages");
    state.undo();
    expect(state.rules).toEqual([]);
    expect(state.enabled).toBe(false);
  });

  it("discards changes, which can be undone", async () => {
    const { state } = await loaded("a");
    state.change("a", { name: "x" });
    state.revert();
    expect(state.isDirty).toBe(false);
    state.undo();
    expect(state.selected?.name).toBe("x");
  });

  it("takes flat JSON, and brings the old rules back with undo and save", async () => {
    const { state, http } = await loaded("a");
    http.on("PUT /v1/reader/conditions", undefined);
    http.on("GET /v1/reader/rules", { enabled: true, rules: [newRule("imported", "m", "i")] });
    expect(await state.importFlat('{"upscaleConditionsEnabled": true, "upscaleConditions": []}')).toBeNull();
    expect(ids(state)).toEqual(["i"]);
    expect(state.isDirty).toBe(false);
    state.undo();
    expect(ids(state)).toEqual(["a"]);
    expect(state.isDirty).toBe(true);
  });

  it("imports over what somebody else saved when told to, and never saves the old form for it", async () => {
    const { state, http } = await loaded("mine");
    const flat = '{"upscaleConditionsEnabled": true, "upscaleConditions": []}';
    http.on("PUT /v1/reader/conditions", () => Promise.reject(refusal("rules_changed")));
    const refused = await state.importFlat(flat);
    expect([isStale(refused), state.failure, state.isStale]).toEqual([true, null, false]);
    http.on("PUT /v1/reader/conditions", undefined);
    http.on("GET /v1/reader/rules", { enabled: true, rules: [newRule("imported", "m", "i")] });
    expect(await state.importFlat(flat, { overwrite: true })).toBeNull();
    expect(ids(state)).toEqual(["i"]);
    const tags = http.calls("PUT /v1/reader/conditions").map(({ headers }) => headers?.["If-Match"]);
    expect(tags).toEqual(['"1"', undefined]);
    expect(http.calls("PUT /v1/reader/rules")).toHaveLength(0);
  });

  it("says why there are no rules", async () => {
    const state = new RulesState(new FakeHttp().on("GET /v1/reader/rules", () => Promise.reject(refusal("storage"))));
    await state.load();
    await settled();
    expect(state.failure?.code).toBe("storage");
  });

  it("does not overwrite what somebody else saved meanwhile, unless it is told to", async () => {
    const { state, http } = await loaded("mine");
    state.change("mine", { name: "edited" });
    http.on("PUT /v1/reader/rules", () => Promise.reject(refusal("rules_changed", "The rules were changed.")));
    expect(await state.save()).toBe(false);
    expect(state.isStale).toBe(true);
    expect(state.isDirty).toBe(true);
    http.on("PUT /v1/reader/rules", ({ body }: Asked) => body);
    http.tag = '"2"';
    expect(await state.save({ overwrite: true })).toBe(true);
    expect(state.isStale).toBe(false);
    state.change("mine", { name: "once more" });
    await state.save();
    const tags = http.calls("PUT /v1/reader/rules").map(({ headers }) => headers?.["If-Match"]);
    expect(tags).toEqual(['"1"', undefined, '"2"']);
  });

  it("loads what somebody else saved, and can take that back", async () => {
    const { state, http } = await loaded("mine");
    state.change("mine", { name: "edited" });
    http.on("GET /v1/reader/rules", { enabled: true, rules: [newRule("theirs", "m", "theirs")] });
    http.tag = '"2"';
    await state.reload();
    expect(ids(state)).toEqual(["theirs"]);
    expect(state.isDirty).toBe(false);
    state.undo();
    expect(state.rules[0]?.name).toBe("edited");
    expect(await state.save()).toBe(true);
    expect(http.calls("PUT /v1/reader/rules")[0]?.headers).toEqual({ "If-Match": '"2"' });
  });
});
