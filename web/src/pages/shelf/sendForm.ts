/** A form on its way to the shelf. XMLHttpRequest, because fetch does not tell how much of a body is out. */

import { href } from "../../api/base";
import { api } from "../../api/client";
import { ApiError, OfflineError } from "../../api/errors";
import type { Problem } from "../../api/types";
import { i18n, t } from "../../i18n/index.svelte";
import type { Item } from "../wire";
import { Uploads, type SendForm } from "./uploads.svelte";

export const sendForm: SendForm = async (form, onSent, signal) => {
  await api.get("/v1/shelf"); // asks for the token where one is needed, before gigabytes are out
  signal.throwIfAborted(); // cancelled meanwhile: the request below would never hear of it
  return await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", href("/v1/shelf/uploads"));
    request.setRequestHeader("Accept-Language", i18n.language);
    request.responseType = "json";
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      if (request.status < 300) resolve(request.response as { items: Item[] });
      else reject(new ApiError(request.status, (request.response as Partial<Problem> | null) ?? {}));
    };
    request.onerror = () => reject(new OfflineError(t("common.offline")));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
};

const listeners = new Set<() => void>();

/** They go on while other pages are looked at. */
export const uploads = new Uploads(sendForm, () => {
  for (const hear of listeners) hear();
});

/** Called after each that arrived, until the returned function is called. */
export function onUploaded(hear: () => void): () => void {
  listeners.add(hear);
  return () => void listeners.delete(hear);
}
