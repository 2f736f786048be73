/** A rule as it is edited: what it starts from, what it says, what is wrong with it before the server is asked. */

import { newId } from "../ids";
import type { Match, Rule } from "../wire";

export const ANY_PAGE: Match = {
  minWidth: 0,
  maxWidth: 0,
  minHeight: 0,
  maxHeight: 0,
  dimensions: "and",
  minMegapixels: 0,
  maxMegapixels: 0,
  minAspectRatio: 0,
  maxAspectRatio: 0,
  fileTypes: [],
  bookInclude: "",
  bookExclude: "",
  pageInclude: "",
  pageExclude: "",
  innerPath: false,
};

export const PATTERNS = ["bookInclude", "bookExclude", "pageInclude", "pageExclude"] as const;
export type PatternField = (typeof PATTERNS)[number];

/** Pairs of fields of which the first may not be above the second. */
export const RANGES = [
  ["minWidth", "maxWidth"],
  ["minHeight", "maxHeight"],
  ["minMegapixels", "maxMegapixels"],
  ["minAspectRatio", "maxAspectRatio"],
] as const satisfies readonly (readonly [keyof Match, keyof Match])[];

export function newRule(name: string, model: string, id: string = newId()): Rule {
  return {
    id,
    name,
    enabled: true,
    priority: 0,
    match: { ...ANY_PAGE },
    skip: false,
    recipe: { model, scale: 2, noise: null, tileSize: 0, tileEnabled: true },
  };
}

/** How many conditions a rule has; none: it takes every page. */
export function conditionCount(match: Match): number {
  const fields = Object.keys(ANY_PAGE) as (keyof Match)[];
  const conditions = fields.filter((field) => field !== "dimensions" && field !== "innerPath");
  return conditions.filter((field) => (Array.isArray(match[field]) ? match[field].length > 0 : Boolean(match[field])))
    .length;
}

/** Fields whose range is empty: no page could ever have it. */
export function emptyRanges(match: Match): (keyof Match)[] {
  return RANGES.filter(([least, most]) => match[least] > match[most] && match[most] > 0).map(([least]) => least);
}

/** The pattern that a problem is about: the one it quotes, else the first there is. */
export function patternOf(match: Match, problem: string): PatternField | null {
  const given = PATTERNS.filter((field) => match[field] !== "");
  const named = given.filter((field) => problem.includes(field));
  const quoted = given.filter((field) => problem.includes(match[field]));
  return named[0] ?? longest(quoted, match) ?? given.find((field) => !compiles(match[field])) ?? given[0] ?? null;
}

/** "jpg, .PNG" as the list of types it means. */
export function fileTypesOf(text: string): string[] {
  const types = text
    .split(/[\s,;，、]+/)
    .map((type) => type.replace(/^[.*]+/, "").toLowerCase())
    .filter((type) => type !== "");
  return [...new Set(types)];
}

/** Rules as they are asked: smaller priorities first, then as they were listed. */
export function inOrder(rules: readonly Rule[]): Rule[] {
  return rules
    .map((rule, place) => ({ rule, place }))
    .sort((one, other) => one.rule.priority - other.rule.priority || one.place - other.place)
    .map(({ rule }) => rule);
}

/** The same rules with priorities as they stand. */
export function numbered(rules: readonly Rule[]): Rule[] {
  return rules.map((rule, place) => ({ ...rule, priority: place }));
}

function longest(fields: PatternField[], match: Match): PatternField | undefined {
  return fields.toSorted((one, other) => match[other].length - match[one].length)[0];
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}
