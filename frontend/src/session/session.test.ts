import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Problem } from "@/problem";

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

function denied(): never {
  throw new DOMException("denied", "SecurityError");
}

/** The device sleeps for an hour, so every token has expired. */
function sleep(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
}

test("a guest's first page sends no refresh request", async () => {
  const tab = new Session();
  await tab.resume();
  expect(users.renewals).toBe(0);
  expect(await tab.token()).toBeUndefined();
});

test("a new tab resumes the session, and the other tabs use its token", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  expect(second.current()?.userId).toBe("ada");
  await vi.waitFor(() => expect(first.current()?.token).toBe(second.current()?.token));
  expect(users.reuses).toBe(0);
});

test("while the session is being resumed, requests wait and the page assumes the previous roles", async () => {
  users.jar = { user: "ada", number: -1 };
  localStorage.setItem("souk.session", "1 customer admin");
  const release = users.holdRefresh();
  const tab = new Session();
  const resumed = tab.resume();
  expect([tab.isResuming(), tab.current()]).toEqual([true, undefined]);
  expect(tab.roles()).toContain("admin");
  const token = tab.token();
  release();
  expect(await token).toBe(tokenOf("ada", 1));
  await resumed;
  // The roles of the new token count.
  expect([tab.isResuming(), tab.roles()]).toEqual([false, ["customer"]]);
});

test("an expired session blocks no request and leaves no roles", async () => {
  localStorage.setItem("souk.session", "1 customer admin");
  const tab = new Session();
  await tab.resume();
  expect([tab.isResuming(), tab.roles(), await tab.token()]).toEqual([false, [], undefined]);
  expect(localStorage.getItem("souk.session")).toBeNull();
});

test("a refresh request that boot.js has sent is not repeated", async () => {
  users.jar = { user: "ada", number: -1 };
  localStorage.setItem("souk.session", "1 customer");
  window.soukRefresh = fetch("/v1/auth/refresh", { method: "POST" });
  const tab = new Session();
  await tab.resume();
  expect(tab.current()?.userId).toBe("ada");
  expect(users.renewals).toBe(1);
});

test("when all tabs renew at the same time, no refresh token is used twice", async () => {
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

test("the session survives a network failure", async () => {
  const tab = await signedIn();
  const old = tab.current()?.token;
  sleep();
  users.isUnavailable = true;
  expect(await tab.token()).toBe(old);
  await expect(tab.renew(old ?? "")).rejects.toMatchObject({ status: 0 });
  expect(tab.current()?.userId).toBe("ada");
  users.isUnavailable = false;
  expect(await tab.token()).not.toBe(old);
});

test("a page that opens during an outage is signed in once the server has recovered", async () => {
  await signedIn();
  users.isUnavailable = true;
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const tab = new Session();
  await tab.resume();
  expect(tab.current()).toBeUndefined();
  users.isUnavailable = false;
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  await vi.waitFor(() => expect(tab.current()?.userId).toBe("ada"));
});

test("an ended session ends in every tab", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  users.jar = undefined;
  expect(await first.renew(first.current()?.token ?? "")).toBeUndefined();
  expect(first.current()).toBeUndefined();
  await vi.waitFor(() => expect(second.current()).toBeUndefined());
});

test("signing out ends the session in every tab, even during a renewal", async () => {
  const first = await signedIn();
  const second = new Session();
  await second.resume();
  await vi.waitFor(() => expect(first.current()?.token).toBe(second.current()?.token));
  const release = users.holdRefresh();
  const before = users.renewals;
  const renewal = second.renew(second.current()?.token ?? "");
  await vi.waitFor(() => expect(users.renewals).toBe(before + 1));
  const leaving = first.signOut();
  await vi.waitFor(() => expect(second.current()).toBeUndefined());
  release();
  expect(await renewal).toBeUndefined();
  await leaving;
  expect(users.logouts).toBe(1);
  expect(users.jar).toBeUndefined();
  expect([first.current(), second.current()]).toEqual([undefined, undefined]);
  const third = new Session();
  await third.resume();
  expect(third.current()).toBeUndefined();
});

test("the next page repeats a sign-out that did not reach the server", async () => {
  const tab = await signedIn();
  users.isUnavailable = true;
  await tab.signOut();
  expect(users.jar).toBeDefined();
  users.isUnavailable = false;
  const next = new Session();
  await next.resume();
  await vi.waitFor(() => expect(users.logouts).toBe(1));
  expect(next.current()).toBeUndefined();
});

test("when another user signs in in another tab, the requests of the previous user are not sent as theirs", async () => {
  const first = await signedIn();
  const adas = first.current()?.token ?? "";
  const second = new Session();
  await second.signIn(eve);
  await vi.waitFor(() => expect(first.current()?.userId).toBe("eve"));
  expect(await first.renew(adas)).toBeUndefined();
  expect(await first.token()).toBe(second.current()?.token);
});

test("a wrong password throws the server's problem and keeps the session", async () => {
  const tab = await signedIn();
  const refusal = tab.signIn({ email: "eve", password: "wrong" });
  await expect(refusal).rejects.toBeInstanceOf(Problem);
  await expect(refusal).rejects.toMatchObject({ status: 401, kind: "unauthorized" });
  expect(tab.current()?.userId).toBe("ada");
});

test("a tab works without locks, channels and storage", async () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("localStorage", { getItem: denied, setItem: denied, removeItem: denied, clear: () => undefined });
  users.jar = { user: "ada", number: -1 };
  const tab = new Session();
  await tab.resume();
  expect(tab.current()?.userId).toBe("ada");
  sleep();
  expect(await tab.token()).toBe(tokenOf("ada", 2));
  await tab.signOut();
  expect(users.logouts).toBe(1);
});
