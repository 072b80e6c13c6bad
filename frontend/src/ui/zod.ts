import { config } from "zod";

// Zod compiles its checks by `eval` where it may; this page's content security policy says that nobody may, and the
// browser would log each try.
config({ jitless: true });

export { z } from "zod";
