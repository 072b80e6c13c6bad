import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";

import { Dialog } from "./dialog";

function Opener() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Open
      </button>
      {isOpen && (
        <Dialog open onOpenChange={setOpen} title="A dialog">
          <input aria-label="Inside" />
        </Dialog>
      )}
    </>
  );
}

test("focus moves into the dialog, stays there, and returns to the opener", async () => {
  render(<Opener />);
  const opener = screen.getByRole("button", { name: "Open" });
  await userEvent.click(opener);
  const dialog = await screen.findByRole("dialog", { name: "A dialog" });
  for (let presses = 0; presses < 3; presses += 1) {
    expect(dialog).toContainElement(document.activeElement as HTMLElement);
    await userEvent.tab();
  }
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(opener).toHaveFocus();
});
