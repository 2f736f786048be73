/** A new id nobody else has. Not crypto.randomUUID: browsers keep that from pages read over a plain local network. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
