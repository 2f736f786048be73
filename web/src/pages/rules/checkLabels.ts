/** Conditions by the names that the server's trace gives them. */

import type { MessageKey } from "../../i18n/index.svelte";

const KNOWN = [
  ...(["minWidth", "maxWidth", "minHeight", "maxHeight", "dimensions", "minMegapixels", "maxMegapixels"] as const),
  ...(["minAspectRatio", "maxAspectRatio", "fileTypes", "bookInclude", "bookExclude"] as const),
  ...(["pageInclude", "pageExclude"] as const),
] as const;

/** What a condition is called; one that is not known is a condition all the same. */
export function checkLabel(condition: string): MessageKey {
  const known = KNOWN.find((name) => name === condition);
  return known === undefined ? "rules.condition" : `rules.check_${known}`;
}
