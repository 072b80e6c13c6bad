import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Problem } from "@/api/problem";

import { FakeChannel, fakeLocks, FakeUsers, tokenOf } from "./fakes";
import { Session } from "./session";

let users: FakeUsers;

beforeEach(() => {
  users = new FakeUsers();
  users.server.listen();
  vi.stubGlobal("BroadcastChannel", FakeChannel);
  vi.stubGlobal("navigator", { ...window.navigator, locks: fakeLocks() });
});

afterEach(() => {
  users.server.close();
  FakeChannel.all.clear();
  localStorage.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const ada = { email: "ada", password: "right" };
const eve = { email: "eve", password: "right" };

/** A tab in which Ada is signed in. */
async function signedIn(): Promise<Session> {
  const tab = new Session();
  await tab.signIn(ada);
  return tab;
}

function closed(): never {
  throw new DOMException("closed", "SecurityError");
}

/** An hour of sleep: every token is old. */
function sleep(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
}

test("a guest's first page asks for nothing", async () => {
  const tab = new Session();
  await tab.resume();
  expect(users.renewals).toBe(0);
  expect(await tab.token()).toBeUndefined();
});

test("a new tab takes up the session, and the others go on with its token", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  expect(second.current()?.userId).toBe("ada");
  await vi.waitFor(() => expect(first.current()?.token).toBe(second.current()?.token));
  expect(users.reuses).toBe(0);
});

test("until it is known who is here, requests wait and the page goes by who it was", async () => {
  users.jar = { user: "ada", number: -1 };
  localStorage.setItem("souk.session", "1 customer admin");
  const open = users.close();
  const tab = new Session();
  const arrival = tab.resume();
  expect([tab.isArriving(), tab.current()]).toEqual([true, undefined]);
  expect(tab.roles()).toContain("admin");
  const token = tab.token();
  open();
  expect(await token).toBe(tokenOf("ada", 1));
  await arrival;
  // The server has the last word.
  expect([tab.isArriving(), tab.roles()]).toEqual([false, ["customer"]]);
});

test("a session that is over by now lets nothing wait and leaves no roles", async () => {
  localStorage.setItem("souk.session", "1 customer admin");
  const tab = new Session();
  await tab.resume();
  expect([tab.isArriving(), tab.roles(), await tab.token()]).toEqual([false, [], undefined]);
  expect(localStorage.getItem("souk.session")).toBeNull();
});

test("a renewal that was sent before the application was there is not sent again", async () => {
  users.jar = { user: "ada", number: -1 };
  localStorage.setItem("souk.session", "1 customer");
  window.soukRefresh = fetch("/v1/auth/refresh", { method: "POST" });
  const tab = new Session();
  await tab.resume();
  expect(tab.current()?.userId).toBe("ada");
  expect(users.renewals).toBe(1);
});

test("after a long sleep all tabs renew at once, and no refresh token is used twice", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  const before = users.renewals;
  sleep();
  const tokens = await Promise.all([first.token(), second.token(), first.token(), second.token()]);
  expect(tokens.every((token) => token !== undefined)).toBe(true);
  expect(users.reuses).toBe(0);
  expect(users.renewals - before).toBeLessThanOrEqual(2);
  expect(first.current()?.userId).toBe("ada");
});

test("a network that is away ends nothing", async () => {
  const tab = await signedIn();
  const old = tab.current()?.token;
  sleep();
  users.isAway = true;
  expect(await tab.token()).toBe(old);
  await expect(tab.renew(old ?? "")).rejects.toMatchObject({ status: 0 });
  expect(tab.current()?.userId).toBe("ada");
  users.isAway = false;
  expect(await tab.token()).not.toBe(old);
});

test("a page that opens while the server is away is signed in as soon as it is back", async () => {
  await signedIn();
  users.isAway = true;
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const tab = new Session();
  await tab.resume();
  expect(tab.current()).toBeUndefined();
  users.isAway = false;
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  await vi.waitFor(() => expect(tab.current()?.userId).toBe("ada"));
});

test("a session that is over ends in every tab", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  users.jar = undefined;
  expect(await first.renew(first.current()?.token ?? "")).toBeUndefined();
  expect(first.current()).toBeUndefined();
  await vi.waitFor(() => expect(second.current()).toBeUndefined());
});

test("signing out ends it in every tab, even where a renewal is on its way", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  await vi.waitFor(() => expect(first.current()?.token).toBe(second.current()?.token));
  const open = users.close();
  const before = users.renewals;
  const renewal = second.renew(second.current()?.token ?? "");
  await vi.waitFor(() => expect(users.renewals).toBe(before + 1));
  const leaving = first.signOut();
  await vi.waitFor(() => expect(second.current()).toBeUndefined());
  open();
  expect(await renewal).toBeUndefined();
  await leaving;
  expect(users.logouts).toBe(1);
  expect(users.jar).toBeUndefined();
  expect([first.current(), second.current()]).toEqual([undefined, undefined]);
  const third = new Session();
  await third.resume();
  expect(third.current()).toBeUndefined();
});

test("signing out without a network is told to the server by the next page", async () => {
  const tab = await signedIn();
  users.isAway = true;
  await tab.signOut();
  expect(users.jar).toBeDefined();
  users.isAway = false;
  const next = new Session();
  await next.resume();
  await vi.waitFor(() => expect(users.logouts).toBe(1));
  expect(next.current()).toBeUndefined();
});

test("another user in another tab is the user of this one, but does not send what this one meant to", async () => {
  const first = await signedIn();
  const adas = first.current()?.token ?? "";
  const second = new Session();
  await second.signIn(eve);
  await vi.waitFor(() => expect(first.current()?.userId).toBe("eve"));
  expect(await first.renew(adas)).toBeUndefined();
  expect(await first.token()).toBe(second.current()?.token);
});

test("a wrong password is refused with the server's problem and changes nothing", async () => {
  const tab = await signedIn();
  const refusal = tab.signIn({ email: "eve", password: "wrong" });
  await expect(refusal).rejects.toBeInstanceOf(Problem);
  await expect(refusal).rejects.toMatchObject({ status: 401, kind: "unauthorized" });
  expect(tab.current()?.userId).toBe("ada");
});

test("without locks, channels and storage a tab works on its own", async () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("localStorage", { getItem: closed, setItem: closed, removeItem: closed, clear: () => undefined });
  users.jar = { user: "ada", number: -1 };
  const tab = new Session();
  await tab.resume();
  expect(tab.current()?.userId).toBe("ada");
  sleep();
  expect(await tab.token()).toBe(tokenOf("ada", 2));
  await tab.signOut();
  expect(users.logouts).toBe(1);
});
