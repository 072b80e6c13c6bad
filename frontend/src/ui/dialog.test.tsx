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
        <Dialog open onOpenChange={setOpen} title="A window">
          <input aria-label="Inside" />
        </Dialog>
      )}
    </>
  );
}

test("focus goes into the window, stays there, and returns to what opened it", async () => {
  render(<Opener />);
  const opener = screen.getByRole("button", { name: "Open" });
  await userEvent.click(opener);
  const window = await screen.findByRole("dialog", { name: "A window" });
  for (let presses = 0; presses < 3; presses += 1) {
    expect(window).toContainElement(document.activeElement as HTMLElement);
    await userEvent.tab();
  }
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(opener).toHaveFocus();
});
