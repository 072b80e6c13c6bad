import { z } from "@/ui/zod";

import type { messages } from "./messages";

type Texts = (typeof messages)["en"];

const LEAST = 15;
const MOST = 128;

/** A new password, as far as it can be judged here. Which ones are common only the server knows. */
export function newPassword(t: Texts) {
  return z.string().superRefine((password, context) => {
    // Characters as the server counts them, not UTF-16 units.
    const length = [...password].length;
    if (length < LEAST) context.addIssue({ code: "custom", message: t.passwordShort(LEAST - length) });
    if (length > MOST) context.addIssue({ code: "custom", message: t.passwordLong });
  });
}

/** The server's reasons in the reader's language. */
export function reason(t: Texts): (detail: string) => string {
  return (detail) => {
    if (detail.startsWith("is one of the first")) return t.passwordCommon;
    if (detail.includes("your mail address")) return t.passwordIsEmail;
    if (detail === "is not your password") return t.notYourPassword;
    return detail;
  };
}
