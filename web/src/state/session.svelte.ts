/** Signing in: the token is asked for once and becomes a cookie that scripts cannot read. */
import { api } from "../api/client";

class Session {
  asking = $state(false);
  error = $state<string | null>(null);
  busy = $state(false);
  #settle: { resolve: () => void; reject: (reason: Error) => void } | null = null;

  /** Opens the dialog; settles when the server took the token. */
  ask = (): Promise<void> => {
    this.asking = true;
    this.error = null;
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  };

  async signIn(token: string): Promise<void> {
    this.busy = true;
    try {
      await api.post("/v1/session", { token });
      this.asking = false;
      this.#settle?.resolve();
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }

  giveUp(): void {
    this.asking = false;
    this.#settle?.reject(new DOMException("no token", "AbortError"));
  }

  signOut(): Promise<void> {
    return api.delete("/v1/session");
  }
}

export const session = new Session();
