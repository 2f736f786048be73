/** Who reads in this window: the server keeps a place in each open book for every one, so that none stops another. */
const BYTES = 12;

/** Drawn anew with each loading. No `randomUUID`: that is only there over HTTPS, and a shelf at home has none. */
function newSeat(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(BYTES)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

export const seat = newSeat();
