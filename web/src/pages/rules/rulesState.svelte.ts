/** The rules being edited: nothing is obeyed before it is saved, and every change can be taken back. */

import { newId } from "../ids";
import { inOrder, newRule, numbered, PATTERNS, patternOf, type PatternField } from "./ruleForm";
import { History } from "./history";
import { toldOf, type Http } from "../ports";
import type { Match, Rule, RuleRecipe, RuleSet, Told, Verdict } from "../wire";

export interface Preset {
  title: string;
  description: string;
  rule: Rule;
}

export interface PatternProblem {
  field: PatternField | null;
  message: string;
}

export interface Conditions {
  upscaleConditionsEnabled: boolean;
  upscaleConditions: unknown[];
}

const STALE = "rules_changed";
/** A page on which nothing but the patterns is tried. */
const SOME_PAGE = { width: 1, height: 1, fileType: "png", bookPath: "/book", pagePath: "/book/page.png" };

/** Whether something was refused because somebody else had changed the rules. */
export function isStale(failure: Told | null): boolean {
  return failure?.code === STALE;
}

export class RulesState {
  enabled = $state(false);
  rules = $state.raw<Rule[]>([]);
  selectedId = $state<string | null>(null);
  loading = $state(true);
  saving = $state(false);
  failure = $state.raw<Told | null>(null);
  /** What is wrong with a rule's patterns, by the rule's id. */
  problems = $state.raw<ReadonlyMap<string, PatternProblem>>(new Map());
  canUndo = $state(false);
  canRedo = $state(false);

  selected = $derived.by(() => this.rules.find((rule) => rule.id === this.selectedId) ?? null);
  isDirty = $derived.by(() => JSON.stringify(this.form) !== this.#saved);

  #saved = $state("");
  /** The revision that is edited. */
  #tag = "";
  #history = new History<RuleSet>();
  /** What the server said of patterns it was asked about; "" where nothing is wrong with them. */
  #judged = new Map<string, string>();

  constructor(private readonly http: Http) {}

  /** What would be saved. */
  get form(): RuleSet {
    return { enabled: this.enabled, rules: this.rules };
  }

  async load(): Promise<void> {
    this.loading = true;
    try {
      this.#take(await this.#stored());
      this.failure = null;
    } catch (error) {
      this.failure = toldOf(error);
    } finally {
      this.loading = false;
    }
  }

  // ---- changes ----

  switchOn(enabled: boolean): void {
    this.#keep();
    this.enabled = enabled;
  }

  add(name: string, model: string): Rule {
    const rule = newRule(name, model);
    this.#keep();
    this.rules = numbered([...this.rules, rule]);
    this.selectedId = rule.id;
    return rule;
  }

  duplicate(id: string, name: string): void {
    const at = this.#place(id);
    const original = this.rules[at];
    if (original === undefined) return;
    const copy = { ...structuredClone(original), id: newId(), name };
    this.#keep();
    this.rules = numbered(this.rules.toSpliced(at + 1, 0, copy));
    this.selectedId = copy.id;
  }

  remove(id: string): void {
    const at = this.#place(id);
    if (at < 0) return;
    this.#keep();
    this.rules = numbered(this.rules.toSpliced(at, 1));
    if (this.selectedId === id) this.selectedId = (this.rules[at] ?? this.rules[at - 1])?.id ?? null;
  }

  /** Bring a rule to a place of the list. A drag is one step, however long its way was. */
  move(id: string, to: number, drag: string | null = null): void {
    const from = this.#place(id);
    const place = Math.min(Math.max(to, 0), this.rules.length - 1);
    const rule = this.rules[from];
    if (rule === undefined || from === place) return;
    this.#keep(drag);
    this.rules = numbered(this.rules.toSpliced(from, 1).toSpliced(place, 0, rule));
  }

  change(id: string, facts: Partial<Rule>): void {
    this.#edit(id, Object.keys(facts).join(), (rule) => ({ ...rule, ...facts }));
  }

  changeMatch(id: string, facts: Partial<Match>): void {
    this.#edit(id, Object.keys(facts).join(), (rule) => ({ ...rule, match: { ...rule.match, ...facts } }));
  }

  changeRecipe(id: string, facts: Partial<RuleRecipe>): void {
    this.#edit(id, Object.keys(facts).join(), (rule) => ({ ...rule, recipe: { ...rule.recipe, ...facts } }));
  }

  /** Presets there are, told in one's own language. */
  async presets(): Promise<Preset[]> {
    return (await this.http.get<{ presets: Preset[] }>("/v1/reader/presets")).presets;
  }

  /** A preset's rule behind those that are there; the first one switches rules on. */
  addPreset(preset: Preset): void {
    const rule = { ...structuredClone(preset.rule), id: newId(), name: preset.title };
    this.#keep();
    if (this.rules.length === 0) this.enabled = true;
    this.rules = numbered([...this.rules, rule]);
    this.selectedId = rule.id;
  }

  undo(): void {
    this.#restore(this.#history.undo(this.form));
  }

  redo(): void {
    this.#restore(this.#history.redo(this.form));
  }

  /** Back to what the server has; this can be undone as well. */
  revert(): void {
    this.#keep();
    this.#show(JSON.parse(this.#saved) as RuleSet);
  }

  // ---- the server ----

  /** What others stored meanwhile instead of what is edited here; this can be undone. */
  async reload(): Promise<void> {
    const before = this.form;
    await this.load();
    if (this.failure !== null) return;
    this.#history.keep(before);
    this.#note();
  }

  /** Whether the last saving was refused because somebody else had changed the rules. */
  get isStale(): boolean {
    return isStale(this.failure);
  }

  /**
   * Try the rules, then store them; whether they are stored. A bad pattern is shown at its field instead. Rules that
   * somebody else changed since they were loaded are only overwritten when asked to.
   */
  async save({ overwrite = false } = {}): Promise<boolean> {
    this.saving = true;
    this.failure = null;
    const form = this.form;
    try {
      await this.checkPatterns();
      if (this.problems.size > 0) return false;
      const tag = overwrite ? "" : this.#tag;
      const stored = await this.http.tagged<RuleSet>("PUT", "/v1/reader/rules", form, tag);
      this.#tag = stored.tag;
      this.#saved = JSON.stringify(this.#ordered(stored.value));
      return true;
    } catch (error) {
      this.failure = toldOf(error);
      return false;
    } finally {
      this.saving = false;
    }
  }

  /** Have the server read every pattern, and keep what is wrong with which. It alone knows what it understands. */
  async checkPatterns(): Promise<void> {
    const rules = this.rules;
    const found = await Promise.all(rules.map((rule) => this.#problemOf(rule)));
    if (rules !== this.rules) return;
    const problems = new Map<string, PatternProblem>();
    rules.forEach((rule, at) => {
      const message = found[at] ?? "";
      if (message !== "") problems.set(rule.id, { field: patternOf(rule.match, message), message });
    });
    this.problems = problems;
  }

  /** A rule alone, so that none before it takes the page and hides it. */
  async #problemOf(rule: Rule): Promise<string> {
    const key = JSON.stringify(PATTERNS.map((field) => rule.match[field]));
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    if (PATTERNS.every((field) => rule.match[field] === "")) return "";
    const alone = { enabled: true, rules: [{ ...rule, enabled: true }] };
    const verdict = await this.http.post<Verdict>("/v1/reader/rules/test", { facts: SOME_PAGE, ...alone });
    const problem = verdict.trace[0]?.problem ?? "";
    this.#judged.set(key, problem);
    return problem;
  }

  /** The saved rules as the flat JSON that other readers exchange. */
  exportFlat(): Promise<Conditions> {
    return this.http.get<Conditions>("/v1/reader/conditions");
  }

  /**
   * Take flat JSON: it is stored by the server, which alone knows what it means, and can be undone here. What went
   * wrong, null when nothing: it is no failure of the rules edited here, which must not be saved to mend it.
   */
  async importFlat(text: string, { overwrite = false } = {}): Promise<Told | null> {
    const before = this.form;
    try {
      const tag = overwrite ? "" : this.#tag;
      await this.http.tagged("PUT", "/v1/reader/conditions", JSON.parse(text) as unknown, tag);
      this.#take(await this.#stored());
      this.#history.keep(before);
      this.#note();
      this.failure = null;
      return null;
    } catch (error) {
      return toldOf(error);
    }
  }

  async #stored(): Promise<RuleSet> {
    const { value, tag } = await this.http.tagged<RuleSet>("GET", "/v1/reader/rules");
    this.#tag = tag;
    return value;
  }

  #edit(id: string, what: string, edit: (rule: Rule) => Rule): void {
    const at = this.#place(id);
    const rule = this.rules[at];
    if (rule === undefined) return;
    this.#keep(`${id} ${what}`);
    this.rules = this.rules.with(at, edit(rule));
  }

  #place(id: string): number {
    return this.rules.findIndex((rule) => rule.id === id);
  }

  #take(form: RuleSet): void {
    const ordered = this.#ordered(form);
    this.#saved = JSON.stringify(ordered);
    this.#show(ordered);
    this.#history.clear();
    this.#note();
  }

  #ordered(form: RuleSet): RuleSet {
    return { enabled: form.enabled, rules: inOrder(form.rules) };
  }

  #show(form: RuleSet): void {
    this.enabled = form.enabled;
    this.rules = form.rules;
    this.problems = new Map();
    if (this.selected === null) this.selectedId = form.rules[0]?.id ?? null;
  }

  #restore(form: RuleSet | null): void {
    if (form !== null) this.#show(form);
    this.#note();
  }

  #keep(key: string | null = null): void {
    this.#history.keep(this.form, key);
    this.#note();
  }

  #note(): void {
    this.canUndo = this.#history.canUndo;
    this.canRedo = this.#history.canRedo;
  }
}
