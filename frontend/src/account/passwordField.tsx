import { type ComponentProps, useState } from "react";

import { useMessages } from "@/i18n";
import { TextField } from "@/ui/field";

import { messages } from "./messages";

/** A password field with a button that shows the typed text. */
export function PasswordField(props: Omit<ComponentProps<typeof TextField>, "type">) {
  const t = useMessages(messages);
  const [isShown, setShown] = useState(false);
  return (
    <div className="relative">
      <TextField
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        required
        {...props}
        type={isShown ? "text" : "password"}
      />
      <button
        type="button"
        aria-label={isShown ? t.hidePassword : t.showPassword}
        onClick={() => setShown(!isShown)}
        className="absolute -top-0.5 right-0 rounded px-1 py-0.5 text-sm font-medium text-accent hover:bg-accent-soft"
      >
        {isShown ? t.hide : t.show}
      </button>
    </div>
  );
}
