import { z } from "@/ui/zod";

import type { messages } from "./messages";

type Texts = (typeof messages)["en"];

const MIN_LENGTH = 15;
const MAX_LENGTH = 128;

/** Validates the length of a new password. Only the server can check whether it is too common. */
export function newPassword(t: Texts) {
  return z.string().superRefine((password, context) => {
    // Counts Unicode code points, as the server does, not UTF-16 units.
    const length = [...password].length;
    if (length < MIN_LENGTH) context.addIssue({ code: "custom", message: t.passwordShort(MIN_LENGTH - length) });
    if (length > MAX_LENGTH) context.addIssue({ code: "custom", message: t.passwordLong });
  });
}

/** Returns a function that translates the server's validation messages for passwords. */
export function translatePasswordError(t: Texts): (detail: string) => string {
  return (detail) => {
    if (detail.startsWith("is one of the first")) return t.passwordCommon;
    if (detail.includes("your email address")) return t.passwordIsEmail;
    if (detail === "is not your password") return t.notYourPassword;
    return detail;
  };
}
